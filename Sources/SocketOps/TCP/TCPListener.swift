public import LoopCore
internal import StreamOps
internal import _Concurrency

/// Takes TCP connections.
///
/// ```swift
/// let listener = try await TCPListener.listen("127.0.0.1", 7, on: loop)
/// while true {
///     let stream = try await listener.accept()
///     loop.spawn { loop in try await stream.copy(to: stream) }
/// }
/// ```
///
/// Where the process has no descriptor left accepting pauses, and goes on when there is one. Dropping the last reference closes it; the
/// connections stay.
public actor TCPListener: OnLoop {
    /// The loop it lives on.
    public nonisolated let loop: EventLoop
    private nonisolated let listener: OpenListener
    /// The address that it listens at, with the port that the system chose where it was asked to.
    public nonisolated let localAddress: SocketAddress

    private init(_ listener: OpenListener, _ address: SocketAddress) {
        loop = listener.loop
        self.listener = listener
        localAddress = address
    }

    deinit { listener.drop() }

    /// Listens at an address.
    public static func listen(
        at address: SocketAddress, _ options: ListenOptions = ListenOptions(), on loop: isolated EventLoop
    ) throws(SocketError) -> TCPListener {
        guard address.ip != nil else { throw .malformedAddress }
        let native = try NativeSocket.listening(at: address, options)
        let name = try native.orClose { native throws(SocketError) in
            try native.check(.address) { native throws(SocketRefusal) in try native.name() }
        }
        return TCPListener(
            OpenListener(try SocketListener(native, isTCP: true, options, path: nil, loop.operations(for: loop))), name)
    }

    /// Listens at an address of this machine: "127.0.0.1", "::", or a name of it. Port 0 is one that the system chooses.
    public static func listen(
        _ host: String, _ port: UInt16, _ options: ListenOptions = ListenOptions(), on loop: isolated EventLoop
    ) async throws(SocketError) -> TCPListener {
        if let ip = IPAddress(host) { return try listen(at: SocketAddress(ip, port: port), options, on: loop) }
        let addresses: [SocketAddress]
        do throws(ResolveError) { addresses = try await loop.resolve(host, "\(port)") } catch { throw SocketError(error) }
        guard let address = addresses.first else { throw .malformedAddress }
        return try listen(at: address, options, on: loop)
    }

    /// The port it listens at.
    public nonisolated var port: UInt16 { localAddress.port ?? 0 }

    /// Takes the next connection, or waits for one.
    public nonisolated(nonsending) func accept(timeout: Duration? = nil) async throws(SocketError) -> TCPStream {
        TCPStream(try await listener.accept(timeout))
    }

    /// Connections of this listener's that are open.
    public var connections: Int { listener.connections }

    /// Takes no more connections, and gives the address back. Those that were taken stay; calls under way end with ``SocketError/closed``.
    public nonisolated(nonsending) func close() async { await listener.close() }
}
