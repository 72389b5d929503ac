public import LoopCore
internal import StreamOps
internal import _Concurrency

extension TCPStream {
    /// Connects to a host, by name or by number.
    ///
    /// Where the name has several addresses they are tried in the system's order, the two versions of the protocol in turn: each is given a
    /// quarter of a second before the next is tried beside it, and the first to answer is the one (RFC 8305, "Happy Eyeballs"). `timeout`
    /// bounds all of it, the name's lookup too.
    public static func connect(
        _ host: String, _ port: UInt16, on loop: isolated EventLoop, timeout: Duration? = nil
    ) async throws(SocketError) -> TCPStream {
        let deadline = Deadline.after(timeout, loop)
        let addresses: [SocketAddress]
        if let ip = IPAddress(host) {
            addresses = [SocketAddress(ip, port: port)]
        } else {
            do throws(ResolveError) {
                addresses = try await loop.resolve(host, "\(port)", timeout: deadline.left(loop.now))
            } catch {
                throw SocketError(error)
            }
        }
        return try await connect(toFirstOf: addresses, on: loop, timeout: deadline.left(loop.now))
    }

    /// Connects to an address.
    public static func connect(
        _ address: SocketAddress, on loop: isolated EventLoop, timeout: Duration? = nil
    ) async throws(SocketError) -> TCPStream { try await connect(toFirstOf: [address], on: loop, timeout: timeout) }

    /// Connects to the first of these addresses that answers. Each has `headStart` before the next is tried beside it.
    public static func connect(
        toFirstOf addresses: [SocketAddress], on loop: isolated EventLoop, headStart: Duration = .milliseconds(250),
        timeout: Duration? = nil
    ) async throws(SocketError) -> TCPStream {
        let race = ConnectRace(addresses, headStart, loop.operations(for: loop))
        return TCPStream(OpenSocket(try await race.winner(timeout)))
    }
}
