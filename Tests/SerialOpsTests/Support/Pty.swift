import CSerialOps
import CTestSupport
import Glibc
import LoopCore
import LoopEpoll
import Testing

@testable import SerialOps

/// The master of a pseudo terminal: the device at the other end of a port. Its calls do not block.
final class Pty: Sendable {
    let fd: Int32
    let path: SerialText
    private let hold: HandleHold

    init() throws {
        let fd = portloop_pty_open()
        self.fd = fd
        try #require(fd >= 0, "no pseudo terminal: \(-fd)")
        var number: UInt32 = 0
        try #require(unsafe portloop_pty_number(fd, &number) >= 0)
        path = SerialText("/dev/pts/\(number)")
        hold = HandleHold { Glibc.close(fd) }
    }

    deinit { close() }

    /// The other end sees a hang-up.
    func close() { hold.end() }

    /// Keeps the other end open, without reading from it, until this is ended.
    func keptOpen() -> HandleHold { SerialOpsTests.keptOpen(path) }

    /// Sends as much as there is room for; how much that was.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Int {
        // SAFETY: the call reads as many bytes as the array has.
        unsafe bytes.withUnsafeBytes { unsafe max(0, Glibc.write(fd, $0.baseAddress, $0.count)) }
    }

    /// What has come so far.
    func received(max: Int = 65_536) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max)
        // SAFETY: the call writes at most as many bytes as the array has.
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(fd, $0.baseAddress, $0.count) }
        return Array(bytes.prefix(Swift.max(0, count)))
    }

    /// So many bytes, or those that came until nothing did for ten seconds: the kernel hands over piece by piece, by a thread of its own.
    func received(count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var entry = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        while bytes.count < count, unsafe poll(&entry, 1, 10_000) == 1, entry.revents & Int16(POLLIN) != 0 {
            bytes += received(max: count - bytes.count)
        }
        return bytes
    }
}

/// Keeps a terminal open, without reading from it, until this is ended.
func keptOpen(_ path: SerialText) -> HandleHold {
    // SAFETY: the path ends with a NUL.
    let fd = unsafe portloop_serial_open(path.nulTerminated)
    return HandleHold { Glibc.close(fd) }
}

/// Runs a function on a loop of its own.
func onLoop<R: Sendable>(
    limits: Limits = Limits(), _ body: @escaping @Sendable (isolated EventLoop) async throws -> R
) throws -> R {
    let loop = EventLoop(port: try EpollPort(), limits: limits)
    defer { loop.shutdown() }
    let result: Result<R, any Error> = loop.run { loop async in
        do { return .success(try await body(loop)) } catch { return .failure(error) }
    }
    return try result.get()
}

/// As ``onLoop(limits:_:)``, on a thread of its own: for a loop whose tasks need the pool that tests run on.
func onLoopBesides<R: Sendable>(_ body: @escaping @Sendable (isolated EventLoop) async throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        let work = Work { continuation.resume(with: Result { try onLoop(body) }) }
        // SAFETY: the thread takes the reference that it is handed.
        let code = unsafe portloop_test_on_thread(
            { argument in
                if let argument = unsafe argument { unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, Unmanaged.passRetained(work).toOpaque())
        guard code == 0 else { fatalError("no thread: error \(code)") }
    }
}

private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// A variable of the environment.
func environment(_ name: String) -> String? {
    // SAFETY: the value is copied before anything changes the environment.
    unsafe getenv(name).map { unsafe String(cString: $0) }
}

/// What a function returned or threw.
func result<R, E: Error>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws(E) -> R
) async -> Result<R, E> {
    do throws(E) { return .success(try await body()) } catch { return .failure(error) }
}
