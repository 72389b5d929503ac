public import LoopCore
internal import StreamOps
internal import _Concurrency

/// A socket for datagrams.
///
/// ```swift
/// let socket = try UDPSocket.open(at: SocketAddress(.any4, port: 9), on: loop)
/// let datagram = try await socket.receive(timeout: .seconds(5))
/// try await socket.send(datagram.bytes, to: datagram.sender)
/// ```
///
/// A datagram arrives whole, once, twice or not at all; nothing is received before somebody asks. While one is waited for the socket has no
/// buffer of its own. Dropping the last reference closes the socket.
public actor UDPSocket: OnLoop {
    /// The loop it lives on.
    public nonisolated let loop: EventLoop
    private nonisolated let here: Confined<DatagramSocket>

    private init(_ here: Confined<DatagramSocket>, _ loop: EventLoop) {
        self.loop = loop
        self.here = here
    }

    deinit { here.tell(loop) { $0.finish() } }

    /// Makes a socket at an address of this machine; port 0 is one that the system chooses.
    public static func open(
        at address: SocketAddress, _ options: DatagramOptions = DatagramOptions(), on loop: isolated EventLoop
    ) throws(SocketError) -> UDPSocket {
        guard address.ip != nil else { throw .malformedAddress }
        let native = try NativeSocket.make(address.family, .datagram)
        let operations = loop.operations(for: loop)
        let handle = try native.orClose { native throws(SocketError) in
            try native.check(.option) { native throws(SocketRefusal) in try native.set(options, isVersion6: address.ip?.isVersion6 == true)
            }
            try native.check(.bind) { native throws(SocketRefusal) in try native.bind(address) }
            return try native.associate(operations)
        }
        return UDPSocket(Confined(DatagramSocket(native, handle, operations), of: operations), loop)
    }

    /// The address that it has, with the port that the system chose where it was asked to.
    public var localAddress: SocketAddress {
        get throws(SocketError) { try here.on(loop).ask(.address) { native throws(SocketRefusal) in try native.name() } }
    }

    /// Takes one address as the other side: what others send is not received, and ``send(_:to:timeout:)`` needs no address. The system then
    /// also tells when nobody is there.
    public func connect(_ address: SocketAddress) async throws(SocketError) { try await here.on(loop).connect(address) }

    /// Sends one datagram: to an address, or where the socket is connected to.
    public func send(_ bytes: [UInt8], to address: SocketAddress? = nil, timeout: Duration? = nil) async throws(SocketError) {
        try await here.on(loop).send(bytes, address, timeout)
    }

    /// Receives one datagram, or waits for one.
    public func receive(timeout: Duration? = nil) async throws(SocketError) -> Datagram { try await here.on(loop).receive(timeout) }

    /// Closes the socket; calls under way end with ``SocketError/closed``.
    public func close() async {
        let socket = here.on(loop)
        socket.finish()
        await socket.awaitClose()
    }
}

/// What came in one piece.
public struct Datagram: Sendable {
    /// The bytes.
    public var bytes: [UInt8]
    /// Who sent it.
    public var sender: SocketAddress
    /// It was longer than 65,536 bytes, or than the system keeps: the rest is lost.
    public var isCut: Bool
}

/// How a socket for datagrams is set up.
public struct DatagramOptions: Hashable, Sendable {
    /// It may send to everybody on a network.
    public var broadcasts: Bool
    /// Several sockets may have the address, and the system deals the datagrams out among them (SO_REUSEPORT). Not on Windows.
    public var sharesPort: Bool
    /// A socket at an address of version 6 has nothing to do with version 4.
    public var isVersion6Only: Bool

    /// A socket for one program, which sends to one address at a time.
    public init(broadcasts: Bool = false, sharesPort: Bool = false, isVersion6Only: Bool = false) {
        self.broadcasts = broadcasts
        self.sharesPort = sharesPort
        self.isVersion6Only = isVersion6Only
    }
}

extension NativeSocket {
    fileprivate func set(_ options: DatagramOptions, isVersion6: Bool) throws(SocketRefusal) {
        if options.broadcasts { try set(.broadcast, 1) }
        if options.sharesPort { try set(.reusePort, 1) }
        if isVersion6 { try set(.only6, options.isVersion6Only ? 1 : 0) }
        becomeDatagram()
    }
}
