public import LoopCore
internal import StreamOps
internal import _Concurrency

/// A connection of the Unix domain. All that a ``StreamSocket`` does this does.
public actor UnixStream: StreamSocket {
    /// The loop it lives on.
    public nonisolated let loop: EventLoop
    /// What the calls are made with.
    public nonisolated let socket: OpenSocket

    init(_ socket: OpenSocket) {
        loop = socket.loop
        self.socket = socket
    }

    deinit { socket.drop() }

    /// Connects to a socket by its name in the file system.
    public static func connect(
        _ path: String, on loop: isolated EventLoop, timeout: Duration? = nil
    ) async throws(SocketError) -> UnixStream {
        guard let address = SocketAddress(path: [UInt8](path.utf8)) else { throw .malformedAddress }
        let operations = loop.operations(for: loop)
        let race = ConnectRace([address], .zero, operations)
        return UnixStream(OpenSocket(try await race.winner(timeout)))
    }
}
