#if PORTLOOP_LINUX
public import LoopCore
internal import _Concurrency

extension UnixStream {
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
}

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
