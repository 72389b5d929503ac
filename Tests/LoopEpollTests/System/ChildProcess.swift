import CLoopEpoll
import CTestSupport
import Glibc
import LoopCore

/// A program that a test starts, and what it writes.
final class ChildProcess {
    let id: pid_t
    private let output: Int32
    private var buffer: [UInt8] = []

    /// Starts a program with its output in a pipe.
    init(_ arguments: [String]) {
        var ends: [Int32] = [-1, -1]
        // Another test's child would keep its other end open.
        let piped = unsafe pipe2(&ends, O_CLOEXEC)
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        unsafe posix_spawn_file_actions_addclose(&actions, ends[0])
        unsafe posix_spawn_file_actions_addclose(&actions, ends[1])
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let words = unsafe arguments.map { (word: String) in unsafe strdup(word) } + [nil]
        var made = pid_t()
        let code = unsafe posix_spawn(&made, arguments[0], &actions, &attributes, words, environ)
        for index in unsafe words.indices { unsafe free(words[index]) }
        unsafe posix_spawn_file_actions_destroy(&actions)
        unsafe posix_spawnattr_destroy(&attributes)
        close(ends[1])
        if piped != 0 || code != 0 { trap("\(arguments) could not be started: \(code)") }
        id = made
        output = ends[0]
    }

    deinit { close(output) }

    /// A shell that runs a script.
    convenience init(shell script: String) { self.init(["/bin/sh", "-c", script]) }

    /// The program of the tests, beside their own.
    static func taskProgram(_ mode: String) -> ChildProcess {
        guard let path = unsafe realpath("/proc/self/exe", nil) else { trap("This program has no path.") }
        defer { unsafe free(path) }
        let own = unsafe String(cString: path)
        return ChildProcess(["\(own.prefix(through: own.lastIndex(of: "/") ?? own.startIndex))TaskProgram", mode])
    }

    func send(_ signal: Int32) { _ = kill(id, signal) }

    /// The next line; nil at the end of the output. Blocks.
    func line() -> String? {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                defer { buffer.removeFirst(end + 1) }
                return String(decoding: buffer[..<end], as: UTF8.self)
            }
            var room = [UInt8](repeating: 0, count: 4096)
            let count = unsafe read(output, &room, room.count)
            if count <= 0 { return nil }
            buffer += room[..<count]
        }
    }

    /// All lines that are left. Blocks until the program has ended.
    func lines() -> [String] {
        var lines: [String] = []
        while let line = line() { lines.append(line) }
        return lines
    }

    /// Takes its status: the code, or 256 and the signal. Blocks.
    func reap() -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(id, &status, 0) < 0, errno == EINTR {}
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 256 + (status & 0x7F)
    }
}
