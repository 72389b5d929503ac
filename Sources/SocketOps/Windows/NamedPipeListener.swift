#if PORTLOOP_WINDOWS
public import LoopCore
internal import _Concurrency

/// Serves a named pipe of Windows: takes its clients, of this machine alone.
///
/// ```swift
/// let listener = try NamedPipeListener.listen("\\\\.\\pipe\\greeter", on: loop)
/// while true {
///     let pipe = try await listener.accept()
///     loop.spawn { loop in try await pipe.copy(to: pipe) }
/// }
/// ```
///
/// Four clients may come before anybody accepts one; those behind them wait in ``NamedPipe/connect(_:on:timeout:)``. Dropping the last
/// reference closes it; the pipes that were taken stay.
public actor NamedPipeListener: OnLoop {
    /// The loop it lives on.
    public nonisolated let loop: EventLoop
    private nonisolated let here: Confined<PipeServer>

    private init(_ here: Confined<PipeServer>, _ loop: EventLoop) {
        self.loop = loop
        self.here = here
    }

    deinit { here.tell(loop) { $0.finish() } }

    /// Takes a name, "\\.\pipe\…", which nobody else may serve: then this throws ``SocketError/addressInUse``.
    public static func listen(_ path: String, on loop: isolated EventLoop) throws(SocketError) -> NamedPipeListener {
        guard let name = NativePipe.name(path) else { throw .malformedAddress }
        let operations = loop.operations(for: loop)
        return NamedPipeListener(Confined(try PipeServer(name, operations), of: operations), loop)
    }

    /// Takes the next client, or waits for one.
    public nonisolated(nonsending) func accept(timeout: Duration? = nil) async throws(SocketError) -> NamedPipe {
        guard let server = here.ifOn(loop) else { return try await acceptHere(timeout) }
        return NamedPipe(Confined(try await server.accept(timeout), of: server.operations), loop)
    }

    private func acceptHere(_ timeout: Duration?) async throws(SocketError) -> NamedPipe { try await accept(timeout: timeout) }

    /// Takes no more clients, and gives the name back. Calls under way end with ``SocketError/closed``.
    public nonisolated(nonsending) func close() async {
        guard let server = here.ifOn(loop) else { return await closeHere() }
        server.finish()
        await server.awaitClose()
    }

    private func closeHere() async { await close() }
}
#endif
