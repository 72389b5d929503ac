import CTestSupport
import Glibc
import LoopCore
import LoopEpoll
import SocketOps
import Testing

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
    try await besides { try onLoop(body) }
}

/// Runs a function on a thread of its own, and leaves the present one to others meanwhile.
func besides<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        let work = Work { continuation.resume(with: Result { try body() }) }
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

/// What a function returned or threw.
func result<R, E: Error>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws(E) -> R
) async -> Result<R, E> {
    do throws(E) { return .success(try await body()) } catch { return .failure(error) }
}

extension Result {
    var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}

/// Whether the long campaigns are asked for.
var isLong: Bool { unsafe getenv("PORTLOOP_LONG") != nil }

/// The two ends of a TCP connection over the loopback.
struct Connection: Sendable {
    let near: TCPStream
    let far: TCPStream
}

extension EventLoop {
    func connection(_ options: ListenOptions = ListenOptions()) async throws(SocketError) -> Connection {
        let listener = try TCPListener.listen(at: SocketAddress(.loopback4, port: 0), options, on: self)
        let near = try await TCPStream.connect(listener.localAddress, on: self, timeout: .seconds(60))
        let far = try await listener.accept(timeout: .seconds(60))
        await listener.close()
        return Connection(near: near, far: far)
    }
}

/// Descriptors of this process that are sockets.
func openSockets() -> Int {
    (0..<65_536).count { number in
        var facts = stat()
        // SAFETY: the structure is written, and the number is only asked about.
        return unsafe fstat(Int32(number), &facts) == 0 && facts.st_mode & S_IFMT == S_IFSOCK
    }
}

extension EventLoop {
    /// Makes a call that waits in vain until its time is up, and expects the kernel to be asked for the end of the wait and for little
    /// else.
    func expectRest<R: Sendable>(_ call: () async throws(SocketError) -> R) async throws {
        let waits = metrics.port.kernelWaits
        let end = await result { () async throws(SocketError) in try await call() }
        guard case .timedOut? = end.failure else {
            Issue.record("a wait in vain came to \(end)")
            return
        }
        #expect(metrics.port.kernelWaits - waits <= 6)
    }
}
