import LoopCore
import StreamOps
import _Concurrency

/// A listening socket as its calls see it: what the listeners are made of. It belongs to the value that has it.
struct OpenListener: Sendable {
    let loop: EventLoop
    private let here: Confined<SocketListener>

    init(_ listener: SocketListener) {
        loop = listener.operations.loop
        here = Confined(listener, of: listener.operations)
    }

    /// Whoever had the socket is gone: it is closed.
    func drop() { here.tell(loop) { $0.finish() } }

    var connections: Int { here.on(loop).connections }

    nonisolated(nonsending) func accept(_ timeout: Duration?) async throws(SocketError) -> OpenSocket {
        guard loop.isOnLoopThread else { return try await accept(loop, timeout) }
        return OpenSocket(try await here.on(loop).accept(timeout))
    }

    private func accept(_ loop: isolated EventLoop, _ timeout: Duration?) async throws(SocketError) -> OpenSocket {
        try await accept(timeout)
    }

    nonisolated(nonsending) func close() async {
        guard loop.isOnLoopThread else { return await close(loop) }
        let listener = here.on(loop)
        listener.finish()
        await listener.awaitClose()
    }

    private func close(_ loop: isolated EventLoop) async { await close() }
}
