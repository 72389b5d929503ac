#if PORTLOOP_LINUX
import Glibc
import LoopCore

typealias NativeDirectory = LinuxDirectory

/// A directory under inotify, with an instance of its own: so a full queue, and the end, concern this watch alone.
///
/// What inotify does not tell, this cannot: a directory that was deleted while somebody has it open, or stands in it, is gone when the last
/// of those leaves; and a move of a directory above goes unnoticed.
final class LinuxDirectory: ChangeSource {
    let handle: NativeHandle
    /// Sixty-four records with the longest names, and a thousand with short ones.
    let readBytesMax = 16 << 10
    /// As the kernel spells it, so that it means the same after a change of the working directory.
    private let path: String
    private let watch: Int32
    private var isOpen = true

    init(path: String) throws(WatchError) {
        let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { throw .system(.open, .last) }
        watch = LinuxDirectory.addWatch(descriptor, path)
        guard watch >= 0 else {
            let code = SystemCode.last
            Glibc.close(descriptor)
            throw .system(.watch, code)
        }
        handle = NativeHandle(rawValue: Int(descriptor))
        self.path = LinuxDirectory.absolute(path)
    }

    deinit { close() }

    /// A call that would block is made again when there is something: an idle watch costs nothing, and no read finds nothing.
    func read(_ op: consuming PreparedOp) -> Decision {
        op.attempt(.read) { handle, buffer in
            // SAFETY: the pointer is the buffer's, for the time of the call.
            let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe Glibc.read(Int32(handle.rawValue), bytes.baseAddress, bytes.count)
            }
            if count > 0 { return .done(count: count) }
            let code = SystemCode.last
            return code.rawValue == EAGAIN ? .wouldBlock(.read) : .failed(code)
        }
    }

    func forEachChange(_ completion: Completion, _ bytes: RawSpan, _ visit: (Change) -> Void) {
        if completion.error != .none { return visit(.failed(completion.error)) }
        InotifyRecords.forEachChange(in: bytes, visit)
    }

    /// No code of a read speaks of the directory: its end is a record.
    func ending(after code: SystemCode) -> WatchEnding? { nil }

    /// Asks for the watch once more. The kernel knows a directory that it watches already, and answers with the number it has.
    func endingAfterLoss() -> WatchEnding? {
        LinuxDirectory.addWatch(Int32(handle.rawValue), path) == watch ? nil : .deleted
    }

    func close() {
        if isOpen { Glibc.close(Int32(handle.rawValue)) }
        isOpen = false
    }

    // SAFETY: the path is a NUL-terminated string for the time of the call.
    private static func addWatch(_ descriptor: Int32, _ path: String) -> Int32 {
        unsafe inotify_add_watch(descriptor, path, InotifyMask.asked.rawValue)
    }

    private static func absolute(_ path: String) -> String {
        // SAFETY: realpath allocates what it returns, as a NUL-terminated string.
        guard let found = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(found) }
        return unsafe String(cString: found)
    }
}

extension SystemCode {
    /// What the last call of this thread failed with.
    fileprivate static var last: SystemCode { SystemCode(rawValue: errno) }
}
#endif
