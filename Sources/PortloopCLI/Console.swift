#if PORTLOOP_LINUX
import Glibc
import Portloop

/// The terminal that the program was started in, opened once more: so its other users, such as a shell, do not find it non-blocking.
final class Console: Sendable {
    let handle: NativeHandle
    private let before: SavedTerminal

    /// Makes the terminal raw: every key comes as it is pressed, and means nothing.
    // SAFETY: the calls get the structure they expect, for their time.
    init() throws(ConsoleError) {
        let fd = unsafe open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        guard fd >= 0 else { throw .noTerminal }
        var settings = termios()
        guard unsafe tcgetattr(fd, &settings) == 0 else { throw .noTerminal }
        before = SavedTerminal(settings: settings)
        unsafe cfmakeraw(&settings)
        unsafe tcsetattr(fd, TCSADRAIN, &settings)
        handle = NativeHandle(rawValue: Int(fd))
    }

    /// Puts the terminal back as it was.
    // SAFETY: as above.
    func restore() {
        var settings = before.settings
        unsafe tcsetattr(Int32(handle.rawValue), TCSADRAIN, &settings)
    }
}

private struct SavedTerminal: Sendable {
    let settings: termios
}

/// Why there is no console.
enum ConsoleError: Error, CustomStringConvertible {
    case noTerminal
    var description: String { "it has to be started in a terminal" }
}

/// Files, read whole.
enum FileBytes {
    /// Nil where there is no such file, or it cannot be read.
    // SAFETY: the call writes at most as many bytes as the buffer has.
    static func read(_ path: String) -> [UInt8]? {
        let fd = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        var (all, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 65_536))
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(fd, $0.baseAddress, $0.count) }
            if count == 0 { return all }
            if count < 0 { return nil }
            all += buffer.prefix(count)
        }
    }
}
#endif
