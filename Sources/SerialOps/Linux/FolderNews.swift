#if PORTLOOP_LINUX
internal import CSerialOps
internal import Glibc
internal import LoopCore

/// Entries of the folder of devices that come, go, or get other permissions: where the kernel does not speak.
final class FolderNews: SerialPortNews {
    let handle: NativeHandle
    /// Sixteen records with the longest names.
    let bytesMax = 4_096
    private let dev: String
    private let hold: HandleHold

    // SAFETY: the path ends with a NUL for the time of the call.
    init(dev: String) throws(SerialError) {
        let fd = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard fd >= 0 else { throw .system(.watch, SystemCode(rawValue: errno)) }
        guard unsafe inotify_add_watch(fd, dev, FolderRecord.asked) >= 0 else {
            let code = errno
            _ = portloop_serial_close(fd)
            throw .system(.watch, SystemCode(rawValue: code))
        }
        handle = NativeHandle(rawValue: Int(fd))
        self.dev = dev
        hold = HandleHold { _ = portloop_serial_close(fd) }
    }

    /// Reads on until something has the name of a terminal.
    func wait(_ op: consuming PreparedOp) -> Decision {
        op.attempt(.read) { handle, buffer in
            while true {
                // SAFETY: the call writes at most as many bytes as the buffer has.
                let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                    unsafe read(Int32(handle.rawValue), bytes.baseAddress, bytes.count)
                }
                let code = errno
                if count < 0, code == EAGAIN { return .wouldBlock(.read) }
                if count < 0, code == EINTR { continue }
                guard count >= 0 else { return .failed(SystemCode(rawValue: code)) }
                let records = FolderRecord.all(in: buffer.bytes.extracting(first: count))
                if records.contains(where: \.isNews) { return .done(count: count) }
            }
        }
    }

    func forEachGone(in bytes: RawSpan, _ visit: (SerialText) -> Void) {
        for record in FolderRecord.all(in: bytes) where record.isGone { visit(SerialText("\(dev)/\(record.name)")) }
    }

    /// Losses are records, too.
    func isLoss(_ code: SystemCode) -> Bool { false }

    func close() { hold.end() }
}

/// A record of inotify: `struct inotify_event { int wd; uint32_t mask, cookie, len; char name[]; }`.
struct FolderRecord {
    let mask: UInt32
    let name: SerialText

    static let asked = UInt32(IN_CREATE) | UInt32(IN_DELETE) | UInt32(IN_ATTRIB) | UInt32(IN_MOVED_FROM) | UInt32(IN_MOVED_TO)

    /// A full queue has lost some, which may have been about anything.
    var isNews: Bool { mask & UInt32(IN_Q_OVERFLOW) != 0 || "\(name)".hasPrefix("tty") || "\(name)".hasPrefix("rfcomm") }

    var isGone: Bool { mask & (UInt32(IN_DELETE) | UInt32(IN_MOVED_FROM)) != 0 && isNews }

    // SAFETY: as many bytes are copied as the span has.
    static func all(in span: RawSpan) -> [FolderRecord] {
        let bytes = unsafe span.withUnsafeBytes { unsafe [UInt8]($0) }
        func word(_ at: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << (8 * UInt32($1)) } }
        var found: [FolderRecord] = []
        var offset = 0
        while offset + 16 <= bytes.count {
            let end = offset + 16 + Int(word(offset + 12))
            guard end <= bytes.count else { break }
            let name = bytes[(offset + 16)..<end].prefix { $0 != 0 }
            found.append(FolderRecord(mask: word(offset + 4), name: SerialText(bytes: Array(name))))
            offset = end
        }
        return found
    }
}
#endif
