import CLoopEpoll
import CTestSupport
import Glibc
import LoopCore

/// A descriptor that a test opened. Closed with it, unless the test closed it before.
final class OpenFile {
    private(set) var fd: Int32
    /// The other end: open as long as this one is looked after.
    var partner: OpenFile?

    init(_ fd: Int32) {
        self.fd = fd
        if fd < 0 { trap("A test could not open a descriptor: errno \(errno).") }
    }

    deinit { close() }

    var handle: NativeHandle { NativeHandle(rawValue: Int(fd)) }

    func close() {
        if fd >= 0 { _ = Glibc.close(fd) }
        fd = -1
    }

    /// Leaves the descriptor to the caller.
    func release() -> NativeHandle {
        defer { fd = -1 }
        return handle
    }

    @discardableResult
    func write(_ bytes: [UInt8]) -> Int { unsafe bytes.withUnsafeBytes { unsafe Glibc.write(fd, $0.baseAddress, $0.count) } }

    convenience init(path: String, _ flags: Int32, mode: mode_t = 0o600) { self.init(unsafe open(path, flags | O_CLOEXEC, mode)) }

    static func orNil(path: String, _ flags: Int32) -> OpenFile? {
        let fd = unsafe Glibc.open(path, flags | O_CLOEXEC)
        return fd < 0 ? nil : OpenFile(fd)
    }

    /// What is there; nil if nothing is.
    func read(max: Int = 1 << 16) -> [UInt8]? {
        let count = Reading(fd, max: max)
        return count.bytes
    }

    /// What arrives; on a busy machine a network takes its time, even one inside the kernel.
    func readSoon() -> [UInt8] {
        while true {
            if let bytes = read() { return bytes }
        }
    }

    /// Writes until the kernel takes no more, and returns how much it took.
    func fill() -> Int {
        let chunk = [UInt8](repeating: 0x2E, count: 4096)
        var total = 0
        while true {
            let count = write(chunk)
            if count <= 0 { return total }
            total += count
        }
    }

    /// Whether poll(2) says that there is room to write.
    var isWritable: Bool {
        var entry = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&entry, 1, 0) == 1 && entry.revents & Int16(POLLOUT) != 0
    }

    func shutdown(_ how: Int32) { _ = Glibc.shutdown(fd, how) }

    func setOption(_ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        unsafe setsockopt(fd, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    var isNonblocking: Bool { fcntl(fd, F_GETFL) & O_NONBLOCK != 0 }

    func makeBlocking() { _ = fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) }

    func duplicate() -> OpenFile { OpenFile(fcntl(fd, F_DUPFD_CLOEXEC, 0)) }

    /// The number now names what `other` names.
    func replace(with other: OpenFile) { _ = dup2(other.fd, fd) }

    var isOpen: Bool { fcntl(fd, F_GETFD) >= 0 }
}

/// One read(2) into memory of its own.
private struct Reading {
    let bytes: [UInt8]?

    init(_ fd: Int32, max: Int) {
        var buffer = [UInt8](repeating: 0, count: max)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(fd, $0.baseAddress, $0.count) }
        bytes = count < 0 ? nil : Array(buffer[..<count])
    }
}

/// The two ends of something that carries bytes.
struct Ends {
    let near: OpenFile
    let far: OpenFile

    init(near: OpenFile, far: OpenFile) {
        self.near = near
        self.far = far
        near.partner = far
        far.partner = nil
    }
}

/// What bytes can go through.
enum Carrier: String, CaseIterable, Codable, Sendable {
    case tcp
    case unixStream
    case pipe
    case fifo
    case terminal

    /// Both directions work from either end.
    var isDuplex: Bool { self != .pipe && self != .fifo }

    static var duplex: [Carrier] { allCases.filter(\.isDuplex) }

    /// Ends of which the near one reads.
    func open() -> Ends {
        switch self {
        case .tcp: tcpEnds()
        case .unixStream: socketPair(Int32(SOCK_STREAM.rawValue))
        case .pipe: pipeEnds()
        case .fifo: fifoEnds()
        case .terminal: terminalEnds()
        }
    }

    /// Ends of which the near one writes.
    func openForWriting() -> Ends {
        let ends = open()
        return isDuplex ? ends : Ends(near: ends.far, far: ends.near)
    }
}

func socketPair(_ type: Int32) -> Ends {
    var pair: [Int32] = [-1, -1]
    unsafe _ = socketpair(AF_UNIX, type | nonblockCloexec, 0, &pair)
    return Ends(near: OpenFile(pair[0]), far: OpenFile(pair[1]))
}

let nonblockCloexec = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

private func pipeEnds() -> Ends {
    var pair: [Int32] = [-1, -1]
    unsafe _ = pipe2(&pair, O_NONBLOCK | O_CLOEXEC)
    return Ends(near: OpenFile(pair[0]), far: OpenFile(pair[1]))
}

private func fifoEnds() -> Ends {
    let path = TemporaryPath()
    unsafe mkfifo(path.text, 0o600)
    let near = OpenFile(path: path.text, O_RDONLY | O_NONBLOCK)
    return Ends(near: near, far: OpenFile(path: path.text, O_WRONLY | O_NONBLOCK))
}

/// A pty in raw mode: the terminal is near, its master far.
private func terminalEnds() -> Ends {
    let master = OpenFile(path: "/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK)
    var isLocked: Int32 = 0
    unsafe _ = ioctl(master.fd, 0x4004_5431, &isLocked)  // TIOCSPTLCK
    let slave = OpenFile(ioctl(master.fd, 0x5441, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC))  // TIOCGPTPEER
    var settings = termios()
    unsafe tcgetattr(slave.fd, &settings)
    unsafe cfmakeraw(&settings)
    unsafe tcsetattr(slave.fd, TCSANOW, &settings)
    return Ends(near: slave, far: master)
}

/// A path under /tmp that nobody else has; removed with the value.
final class TemporaryPath {
    let text: String

    init() {
        var template = Array("/tmp/portloop-XXXXXX".utf8CString)
        unsafe _ = mkdtemp(&template)
        text = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) + "/file"
    }

    deinit {
        unsafe unlink(text)
        unsafe rmdir(String(text.dropLast("/file".count)))
    }
}

/// How many bytes a read would find.
func bytesWaiting(_ file: OpenFile) -> Int {
    var count: Int32 = 0
    unsafe _ = ioctl(file.fd, UInt(FIONREAD), &count)
    return Int(count)
}
