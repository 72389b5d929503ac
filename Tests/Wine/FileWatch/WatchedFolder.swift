internal import CLoopWin32
internal import LoopCore

/// A directory of a case's own, and what the cases do in it. What fails here is no case's failure: the program ends.
struct WatchedFolder: Sendable {
    /// Without the NUL.
    let path: [UInt16]

    /// A new one.
    init() {
        path = Array(Win32.newName(Win32.temporaryFolder).dropLast())
        demand("CreateDirectory", unsafe portloop_win32_directory_create(path + [0]))
    }

    /// A new one inside another.
    init(_ name: String, in folder: WatchedFolder) {
        path = folder.path + Array("\\\(name)".utf16)
        folder.makeFolder(name)
    }

    /// Handles of directories that this process has open: Wine does not count handles, so each number is asked.
    // SAFETY: the answer is a local's, and a number that is nobody's is an error.
    static var openHandles: Int {
        stride(from: 4, to: 0x2000, by: 4).count { number in
            var isDirectory: Int32 = 0
            return unsafe portloop_win32_is_directory(number, &isDirectory) == 0 && isDirectory != 0
        }
    }

    var text: String { String(decoding: path, as: UTF16.self) }

    func make(_ name: String) {
        Win32.closeHandle(Win32.open(entry(name), access: Win32.readWrite, disposition: Win32.createAlways, flags: 0))
    }

    func write(to name: String) {
        let file = Win32.open(entry(name), access: Win32.readWrite, disposition: Win32.openExisting, flags: 0)
        Win32.write(file, [7])
        Win32.closeHandle(file)
    }

    func rename(_ name: String, to other: String, in folder: WatchedFolder? = nil) {
        demand("MoveFile", unsafe portloop_win32_file_move(entry(name), (folder ?? self).entry(other)))
    }

    func makeFolder(_ name: String) { demand("CreateDirectory", unsafe portloop_win32_directory_create(entry(name))) }

    func remove(_ name: String) { demand("DeleteFile", unsafe portloop_win32_file_delete(entry(name))) }

    /// The system's answer: a directory that is still watched may stay for a while.
    @discardableResult
    func removeItself() -> UInt32 { unsafe portloop_win32_directory_remove(path + [0]) }

    private func entry(_ name: String) -> [UInt16] { path + Array("\\\(name)".utf16) + [0] }

    private func demand(_ what: String, _ code: UInt32) {
        if code != 0 { trap("\(what) failed with error \(code).") }
    }
}
