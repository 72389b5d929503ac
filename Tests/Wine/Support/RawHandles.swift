internal import CLoopWin32

/// Numbers of the Win32 interface that the cases use, under the names its headers give them.
enum Windows {
    static let genericRead: UInt32 = 0x8000_0000
    static let genericWrite: UInt32 = 0x4000_0000
    static let listDirectory: UInt32 = 1
    static let shareAll: UInt32 = 7
    static let createAlways: UInt32 = 2
    static let openExisting: UInt32 = 3
    static let overlapped: UInt32 = 0x4000_0000
    static let backupSemantics: UInt32 = 0x0200_0000
    static let pipeDuplex: UInt32 = 3
    static let pipeMessages: UInt32 = 4 | 2
    static let pending = UInt32(portloop_win32_io_pending)
    static let statusCancelled: UInt32 = 0xC000_0120
}

extension String {
    /// As the shim takes it.
    var wide: [UInt16] { Array(utf16) + [0] }
}

/// A code unit is a character: what the cases read is plain.
func plain(_ units: some Sequence<UInt16>) -> String {
    var text = ""
    for unit in units { text.unicodeScalars.append(Unicode.Scalar(UInt8(truncatingIfNeeded: unit))) }
    return text
}

/// A handle that is closed with its owner.
final class RawHandle {
    let handle: Int

    init(_ handle: Int) { self.handle = handle }

    deinit { _ = portloop_win32_close_handle(handle) }

    static func open(
        _ path: String, _ access: UInt32, _ disposition: UInt32, _ flags: UInt32 = Windows.overlapped
    ) throws(Unmet) -> RawHandle {
        var made = 0
        let code = unsafe portloop_win32_file_open(path.wide, access, Windows.shareAll, nil, disposition, flags, 0, &made)
        if code != 0 { throw .failed("opening \(path): error \(code)") }
        return RawHandle(made)
    }

    func read(_ block: Block) -> UInt32 {
        unsafe portloop_win32_file_read(handle, block.buffer.baseAddress, block.count, block.overlapped, nil)
    }

    func write(_ block: Block) -> UInt32 {
        unsafe portloop_win32_file_write(handle, block.buffer.baseAddress, block.count, block.overlapped, nil)
    }

    /// All of it, at once.
    func writeNow(_ bytes: [UInt8]) throws(Unmet) {
        var moved: UInt32 = 0
        let code = unsafe portloop_win32_file_write(handle, bytes, UInt32(bytes.count), nil, &moved)
        if code != 0 || moved != UInt32(bytes.count) { throw .failed("writing: error \(code), \(moved) bytes") }
    }
}

/// Names that no other case has.
enum Scratch {
    private nonisolated(unsafe) static var made = 0

    static var name: String {
        unsafe made += 1
        return "portloop-\(portloop_win32_process_id())-\(unsafe made)"
    }

    static var pipe: String { "\\\\.\\pipe\\\(name)" }

    /// A path in the folder for temporary files.
    static func path() throws(Unmet) -> String {
        var (units, length) = ([UInt16](repeating: 0, count: 300), UInt32(0))
        let code = unsafe portloop_win32_temporary_folder(&units, 300, &length)
        if code != 0 { throw .failed("the folder for temporary files: error \(code)") }
        return plain(units.prefix(Int(length))) + name
    }

    /// A folder of its own.
    static func folder() throws(Unmet) -> String {
        let path = try path()
        let code = unsafe portloop_win32_directory_create(path.wide)
        if code != 0 { throw .failed("a folder: error \(code)") }
        return path
    }
}

extension Check {
    /// An overlapped call that owes a packet: it was done at once, or is pending.
    func owes(_ what: String, _ code: UInt32) throws(Unmet) {
        if code != 0 && code != Windows.pending { throw .failed("\(what): error \(code)") }
    }
}
