public import LoopCore
internal import _Concurrency

/// Takes connections of the Unix domain, at a name in the file system. The name is removed when it is closed.
public actor UnixListener: OnLoop {
    /// The loop it lives on.
    public nonisolated let loop: EventLoop
    private nonisolated let listener: OpenListener

    private init(_ listener: OpenListener) {
        loop = listener.loop
        self.listener = listener
    }

    deinit { listener.drop() }

    /// Listens at a name. One that a listener which has ended left behind is taken over; one that somebody listens at is refused with
    /// ``SocketError/addressInUse``.
    public static func listen(
        _ path: String, _ options: ListenOptions = ListenOptions(), on loop: isolated EventLoop
    ) async throws(SocketError) -> UnixListener {
        let name = [UInt8](path.utf8)
        guard let address = SocketAddress(path: name) else { throw .malformedAddress }
        let native: NativeSocket
        do throws(SocketError) {
            native = try NativeSocket.listening(at: address, options)
        } catch {
            guard error == .addressInUse, await isDeserted(path, loop) else { throw error }
            NativeSocket.unlink(name)
            native = try NativeSocket.listening(at: address, options)
        }
        return UnixListener(
            OpenListener(try SocketListener(native, isTCP: false, options, path: name, loop.operations(for: loop))))
    }

    /// Whether nobody listens at a name that is there.
    private static func isDeserted(_ path: String, _ loop: isolated EventLoop) async -> Bool {
        do throws(SocketError) {
            let stream = try await UnixStream.connect(path, on: loop, timeout: .seconds(1))
            await stream.close()
            return false
        } catch {
            return error == .refused
        }
    }

    /// Takes the next connection, or waits for one.
    public nonisolated(nonsending) func accept(timeout: Duration? = nil) async throws(SocketError) -> UnixStream {
        UnixStream(try await listener.accept(timeout))
    }

    /// Connections of this listener's that are open.
    public var connections: Int { listener.connections }

    /// Takes no more connections, and gives the name back.
    public nonisolated(nonsending) func close() async { await listener.close() }
}
