#if PORTLOOP_LINUX
import FileWatch
import FoundationEssentials
import Glibc
import Portloop

/// A temporary directory, and the few things that the checks do in one. What fails here is no check's failure: the process ends.
struct Folder: Sendable {
    let path: String

    /// A new one.
    // SAFETY: mkdtemp writes the letters of the template, and nothing behind them.
    init() {
        var template = Array("\(FileManager.default.temporaryDirectory.path)/filewatch-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { trap("mkdtemp failed with error \(errno).") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The one that an entry of another is.
    init(_ name: FileName, in folder: Folder) { path = "\(folder.path)/\(name)" }

    /// Makes a file, and does not write to it.
    func make(_ name: FileName) {
        close(unsafe call("creat", name) { path in unsafe open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o644) })
    }

    // SAFETY: the byte is there for the time of the call.
    func write(to name: FileName) {
        let file = unsafe call("open", name) { path in unsafe open(path, O_WRONLY | O_CLOEXEC) }
        guard unsafe Glibc.write(file, [7], 1) == 1 else { trap("write failed with error \(errno).") }
        close(file)
    }

    func changeMode(of name: FileName) { _ = unsafe call("chmod", name) { path in unsafe chmod(path, 0o600) } }

    func rename(_ name: FileName, to other: FileName, in folder: Folder? = nil) {
        _ = unsafe call("rename", name) { path in
            unsafe (folder ?? self).call("rename", other) { target in unsafe Glibc.rename(path, target) }
        }
    }

    func remove(_ name: FileName) { _ = unsafe call("unlink", name) { path in unsafe unlink(path) } }

    func makeFolder(_ name: FileName) { _ = unsafe call("mkdir", name) { path in unsafe mkdir(path, 0o755) } }

    func removeFolder(_ name: FileName) { _ = unsafe call("rmdir", name) { path in unsafe rmdir(path) } }

    /// Removes the folder with all that is in it.
    func removeAll() { try? FileManager.default.removeItem(atPath: path) }

    /// Makes one call with the path of an entry.
    // SAFETY: the path ends with a NUL, and is there for the time of the call.
    private func call(_ what: String, _ name: FileName, _ body: (UnsafePointer<CChar>) -> Int32) -> Int32 {
        let bytes = (Array(path.utf8) + [UInt8(ascii: "/")] + name.bytes + [0]).map { CChar(bitPattern: $0) }
        let answer = unsafe bytes.withUnsafeBufferPointer { path in unsafe path.baseAddress.map { unsafe body($0) } ?? -1 }
        guard answer >= 0 else { trap("\(what) of \(name) failed with error \(errno).") }
        return answer
    }
}

/// What the checks ask of the system.
enum System {
    /// How many events an inotify queue holds.
    static var queuedEventsMax: Int? {
        guard let text = try? String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8) else { return nil }
        return Int(text.filter(\.isNumber))
    }

    /// Watches' handles that this process has open.
    static var openHandles: Int {
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return descriptors.count { descriptor in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)"))?.contains("inotify") == true
        }
    }

    static let noSuchEntry = SystemCode(rawValue: ENOENT)
    static let notADirectory = SystemCode(rawValue: ENOTDIR)

    /// Ends the process.
    static func end(_ status: Int32) -> Never { exit(status) }
}
#endif
