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

    #if PORTLOOP_LINUX
    /// Two sockets that are connected with each other.
    public static func pair(on loop: isolated EventLoop) throws(SocketError) -> (UnixStream, UnixStream) {
        let (first, second): (NativeSocket, NativeSocket)
        do throws(SocketRefusal) { (first, second) = try NativeSocket.pair() } catch { throw SocketError(error.code, .open) }
        let operations = loop.operations(for: loop)
        let one = try second.orClose { _ throws(SocketError) in try SocketStream.take(first, isTCP: false, operations) }
        return (UnixStream(OpenSocket(one)), UnixStream(OpenSocket(try SocketStream.take(second, isTCP: false, operations))))
    }

    /// Who is at the other end, as the system knew when the connection was made.
    public var peerCredentials: PeerCredentials {
        get throws(SocketError) { try socket.here.on(loop).ask(.option) { native throws(SocketRefusal) in try native.credentials() } }
    }
    #endif
}

#if PORTLOOP_LINUX
/// A process at the other end of a connection of the Unix domain.
public struct PeerCredentials: Hashable, Sendable {
    /// The process.
    public let process: Int32
    /// Its user.
    public let user: UInt32
    /// Its group.
    public let group: UInt32
}
#endif
