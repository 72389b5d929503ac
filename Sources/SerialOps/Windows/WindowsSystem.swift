#if PORTLOOP_WINDOWS
import CLoopWin32
import LoopCore

/// What the system knows about ports beside their drivers.
enum WindowsSystem {
    /// Whether this is Wine, whose ports differ from Windows' in what its documents promise.
    static var isWine: Bool { portloop_win32_is_wine() != 0 }

    /// Opens what may be a port, for overlapped calls, and for this program alone: Windows opens no port otherwise.
    // SAFETY: the name ends with a NUL, and the handle is written on success.
    static func open(_ path: SerialText) throws(SerialError) -> CommHandle {
        var opened = -1
        let code = unsafe portloop_win32_file_open(deviceName(of: path), readWrite, 0, nil, existing, overlapped, 0, &opened)
        guard code == 0 else { throw Win32SerialCodes.opening(code, path) }
        return CommHandle(NativeHandle(rawValue: opened))
    }

    /// A port's name in the namespace of devices, where COM10 and its like are found too; a name that is in there already stays.
    private static func deviceName(of path: SerialText) -> [UInt16] {
        let text = String(decoding: path.bytes, as: UTF8.self)
        let isDevice = ["\\\\.\\", "\\\\?\\"].contains { path.bytes.starts(with: Array($0.utf8)) }
        return Array((isDevice ? text : "\\\\.\\" + text).utf16) + [0]
    }

    // What `CreateFileW` is asked for; winnt.h and fileapi.h have the numbers.

    /// GENERIC_READ and GENERIC_WRITE.
    private static let readWrite: UInt32 = 0xC000_0000
    /// OPEN_EXISTING.
    private static let existing: UInt32 = 3
    /// FILE_FLAG_OVERLAPPED.
    private static let overlapped: UInt32 = 0x4000_0000
}
#endif
