#if PORTLOOP_WINDOWS
internal import CLoopWin32
import LoopCore

/// One end of a named pipe, and the calls that are made with it at once. It owns nothing.
struct NativePipe: Sendable {
    let handle: NativeHandle

    /// A pipe's name as the calls want it; nil for what is no name of a pipe of this machine's. Any other would be opened as a file.
    static func name(_ path: String) -> [UInt16]? {
        let name = Array(path.utf16)
        let prefixes = ["\\\\.\\pipe\\", "\\\\?\\pipe\\"].map { Array($0.utf16) }
        let isPipe = prefixes.contains { prefix in
            name.count > prefix.count && zip(name, prefix).allSatisfy { $0 == $1 || ($0 | 0x20 == $1 && $1 >= 0x61) }
        }
        return isPipe && name.count <= 256 && !name.contains(0) ? name + [0] : nil
    }

    /// A new instance of a pipe, for one client. The first takes the name, and has it to itself.
    // SAFETY: the name ends with a zero, and the handle is written on success.
    static func serve(_ name: [UInt16], isFirst: Bool) throws(SocketRefusal) -> NativePipe {
        var made = -1
        let mode = duplex | overlapped | (isFirst ? firstInstance : 0)
        try NativeSocket.check(
            unsafe portloop_win32_pipe_create(name, mode, bytesOfThisMachine, instancesMax, bufferBytes, bufferBytes, 0, &made))
        return NativePipe(handle: NativeHandle(rawValue: made))
    }

    /// The client's end. Its server is told who the client is, and may not act in its name.
    // SAFETY: as above.
    static func open(_ name: [UInt16]) throws(SocketRefusal) -> NativePipe {
        var made = -1
        try NativeSocket.check(
            unsafe portloop_win32_file_open(name, readWrite, 0, nil, existing, overlapped | identifiesOnly, 0, &made))
        return NativePipe(handle: NativeHandle(rawValue: made))
    }

    /// Waits for a client, with an operation's control block.
    // SAFETY: the block begins with an OVERLAPPED, and is the operation's until the packet.
    func connect(_ block: UnsafeMutableRawPointer) -> Int32 {
        let overlapped = unsafe block.assumingMemoryBound(to: portloop_win32_overlapped.self)
        return Int32(bitPattern: unsafe portloop_win32_pipe_connect(handle.rawValue, overlapped))
    }

    /// Whether there is something to read.
    // SAFETY: both numbers are written on success.
    var hasBytes: Bool {
        var (bytes, ofMessage) = (UInt32(0), UInt32(0))
        return unsafe portloop_win32_pipe_peek(handle.rawValue, &bytes, &ofMessage) == 0 && bytes > 0
    }

    /// Parts with a client that has gone.
    func disconnect() { _ = portloop_win32_pipe_disconnect(handle.rawValue) }

    func close() { _ = portloop_win32_close_handle(handle.rawValue) }

    // MARK: numbers

    /// ERROR_PIPE_BUSY: each instance has a client.
    static let busy = SystemCode(rawValue: 231)
    /// ERROR_NO_DATA: a client has come and gone.
    static let clientGone = SystemCode(rawValue: 232)
    /// ERROR_ACCESS_DENIED.
    static let accessDenied = SystemCode(rawValue: 5)

    // winbase.h and fileapi.h have these.

    /// PIPE_ACCESS_DUPLEX.
    private static let duplex: UInt32 = 3
    /// FILE_FLAG_OVERLAPPED.
    private static let overlapped: UInt32 = 0x4000_0000
    /// FILE_FLAG_FIRST_PIPE_INSTANCE.
    private static let firstInstance: UInt32 = 0x0008_0000
    /// PIPE_TYPE_BYTE, PIPE_READMODE_BYTE and PIPE_WAIT, which are all zero, and PIPE_REJECT_REMOTE_CLIENTS.
    private static let bytesOfThisMachine: UInt32 = 8
    /// PIPE_UNLIMITED_INSTANCES.
    private static let instancesMax: UInt32 = 255
    /// What a writer may be ahead of its reader.
    private static let bufferBytes: UInt32 = 64 << 10
    /// GENERIC_READ and GENERIC_WRITE.
    private static let readWrite: UInt32 = 0xC000_0000
    /// OPEN_EXISTING.
    private static let existing: UInt32 = 3
    /// SECURITY_SQOS_PRESENT and SECURITY_IDENTIFICATION.
    private static let identifiesOnly: UInt32 = 0x0011_0000
}
#endif
