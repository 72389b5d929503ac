#if PORTLOOP_WINDOWS
import CLoopWin32
import LoopCore

typealias NativeDirectory = WindowsDirectory

/// A directory under `ReadDirectoryChangesW`.
///
/// The kernel begins to keep changes with the first read, and keeps those that come between two reads in a buffer of that first read's
/// size. What it does not tell, this cannot: a directory that is moved takes its watch along, and ends it only when it is deleted.
final class WindowsDirectory: ChangeSource {
    let handle: NativeHandle
    /// Four hundred records with short names. A network's redirector takes 64 KiB at most.
    let readBytesMax = 16 << 10
    private var isOpen = true

    init(path: String) throws(WatchError) {
        var opened: intptr_t = -1
        // SAFETY: the path ends with a NUL, and the handle is written on success.
        let code = unsafe portloop_win32_file_open(
            Array(path.utf16) + [0], Open.listDirectory, Open.shareAll, nil, Open.existing, Open.flags, 0, &opened)
        guard code == 0 else { throw .system(.open, SystemCode(rawValue: Int32(bitPattern: code))) }
        handle = NativeHandle(rawValue: opened)
        try requireDirectory()
    }

    deinit { close() }

    /// What the flags open may be a file: then the first read would say only that something is invalid.
    private func requireDirectory() throws(WatchError) {
        var isDirectory: Int32 = 0
        // SAFETY: the answer is written on success.
        let code = unsafe portloop_win32_is_directory(handle.rawValue, &isDirectory)
        guard code == 0 else { throw .system(.open, SystemCode(rawValue: Int32(bitPattern: code))) }
        guard isDirectory != 0 else { throw .system(.open, SystemCode(rawValue: Code.directory)) }
    }

    // SAFETY: the kernel is given the control block and the buffer that the seam lends for this call (C2).
    func read(_ op: consuming PreparedOp) -> Decision {
        unsafe op.submit { [handle] block, buffer in
            let code = unsafe portloop_win32_directory_changes(
                handle.rawValue, buffer.baseAddress, UInt32(buffer.count), 0, Filter.watched,
                block.assumingMemoryBound(to: portloop_win32_overlapped.self))
            return Int32(bitPattern: code)
        }
    }

    /// More changes than the buffer holds are a success without bytes; some file systems say STATUS_NOTIFY_ENUM_DIR with it (C5).
    func forEachChange(_ completion: Completion, _ bytes: RawSpan, _ visit: (Change) -> Void) {
        if completion.error != .none { return visit(.failed(completion.error)) }
        if completion.status.rawValue == Code.statusNotifyEnumDirectory { return visit(.lost(.systemQueueFull)) }
        NotifyInformation.forEachChange(in: bytes, visit)
    }

    func ending(after code: SystemCode) -> WatchEnding? {
        switch code.rawValue {
        case Code.accessDenied, Code.deletePending: .deleted
        case Code.notReady, Code.noSuchDevice, Code.fileInvalid, Code.deviceNotConnected: .unmounted
        default: nil
        }
    }

    /// The end of a directory is the code of a read, and no record that could be lost.
    func endingAfterLoss() -> WatchEnding? { nil }

    func close() {
        if isOpen { _ = portloop_win32_close_handle(handle.rawValue) }
        isOpen = false
    }
}

/// What `CreateFileW` is asked for; winnt.h and fileapi.h have the numbers.
private enum Open {
    static let listDirectory: UInt32 = 0x1
    /// Read, write and delete: a watch is in nobody's way, and sees the directory deleted.
    static let shareAll: UInt32 = 0x7
    static let existing: UInt32 = 3
    /// FILE_FLAG_BACKUP_SEMANTICS, without which a directory cannot be opened, and FILE_FLAG_OVERLAPPED.
    static let flags: UInt32 = 0x0200_0000 | 0x4000_0000
}

/// What is reported; winnt.h has the numbers.
private enum Filter {
    /// FILE_NOTIFY_CHANGE_FILE_NAME, DIR_NAME, ATTRIBUTES, SIZE, LAST_WRITE and SECURITY.
    static let watched: UInt32 = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x100
}

/// winerror.h and ntstatus.h have the numbers.
private enum Code {
    /// ERROR_ACCESS_DENIED: of a directory that is watched already it means that its deletion is pending.
    static let accessDenied: Int32 = 5
    static let notReady: Int32 = 21
    static let directory: Int32 = 267
    static let deletePending: Int32 = 303
    static let noSuchDevice: Int32 = 433
    static let fileInvalid: Int32 = 1006
    static let deviceNotConnected: Int32 = 1167
    static let statusNotifyEnumDirectory: UInt32 = 0x10C
}
#endif
