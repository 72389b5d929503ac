import Glibc
import LoopCore
import LoopEpoll
import Testing

@Suite("EpollPort: connections", .ownDescriptors) struct ConnectionTests {
    @Test("An accept waits for a connection, and brings a socket that does not block and is not inherited")
    func accept() throws {
        let bench = try PortBench()
        let (listener, address) = openListener()
        let near = try bench.associate(listener)
        let accept = Lent(capacity: 0, hasAddress: true)
        #expect(bench.start(accept, on: near, inline: .allowed) { $0.accept($1) } == .owesPacket)
        #expect(bench.packetsNow().isEmpty)
        let client = openSocket(AF_INET, SOCK_STREAM)
        client.connect(address)
        let completion = bench.packet(of: accept)
        #expect(completion.error == .none)
        let accepted = OpenFile(Int32(completion.acquired.rawValue))
        #expect(accepted.isNonblocking)
        #expect(fcntl(accepted.fd, F_GETFD) & FD_CLOEXEC != 0)
        #expect(accept.socketAddress.port == client.localAddress.port)
        bench.end()
    }

    @Test("Several accepts each get a connection of their own")
    func standingAccepts() throws {
        let bench = try PortBench()
        let (listener, address) = openListener()
        let near = try bench.associate(listener)
        for _ in 0..<3 { bench.start(Lent(capacity: 0), on: near) { $0.accept($1) } }
        let clients = (0..<3).map { _ in openSocket(AF_INET, SOCK_STREAM) }
        for client in clients { client.connect(address) }
        let accepted = bench.packets(3).map { OpenFile(Int32($0.completion.acquired.rawValue)) }
        #expect(Set(accepted.map(\.fd)).count == 3)
        bench.end()
    }

    @Test("A connection that nobody takes is closed by the port")
    func unwantedConnection() throws {
        let bench = try PortBench()
        let (listener, address) = openListener()
        let near = try bench.associate(listener)
        let client = openSocket(AF_INET, SOCK_STREAM)
        client.connect(address)
        let accept = Lent(capacity: 0)
        bench.start(accept, on: near) { $0.accept($1) }
        let acquired = bench.packet(of: accept).acquired
        #expect(acquired != .invalid)
        bench.port.close(acquired: acquired)
        #expect(fcntl(Int32(acquired.rawValue), F_GETFD) == -1)
        bench.end()
    }

    @Test("A connect ends when there is a peer, and a write behind it goes out then")
    func connect() throws {
        let bench = try PortBench()
        let (listener, address) = openListener()
        let client = openSocket(AF_INET, SOCK_STREAM)
        let near = try bench.associate(client)
        let connect = Lent(capacity: 0, address: address)
        bench.start(connect, on: near) { $0.connect($1) }
        let write = Lent([1, 2, 3])
        bench.start(write, on: near) { $0.write($1, count: 3, at: nil) }
        let found = bench.packets(2)
        #expect(found.map(\.lent.address) == [connect.address, write.address])
        #expect(found.map(\.completion) == [Completion(count: 0), Completion(count: 3)])
        let accepted = listener.accepted()
        #expect(accepted.readSoon() == [1, 2, 3])
        bench.end()
    }

    @Test("A fresh socket that reports OUT and HUP is not taken for a connected one")
    func freshSocket() throws {
        let bench = try PortBench()
        let client = openSocket(AF_INET, SOCK_STREAM)
        let near = try bench.associate(client)
        #expect(bench.packetsNow().isEmpty, "here the event of the fresh socket is taken")
        // Nobody answers: the listener's queue is full, so the handshake hangs.
        let (listener, address) = openListener(backlog: 0)
        let fillers = (0..<2).map { _ in openSocket(AF_INET, SOCK_STREAM) }
        for filler in fillers { filler.connect(address) }
        let connect = Lent(capacity: 0, address: address)
        bench.start(connect, on: near) { $0.connect($1) }
        #expect(bench.packetsNow().isEmpty)
        #expect(bench.cancel(connect) == .requested)
        #expect(bench.packet(of: connect).severity == .aborted)
        listener.close()
        bench.end()
    }

    @Test("A read that was started before the connect waits for the peer's first bytes")
    func readBeforeConnect() throws {
        let bench = try PortBench()
        let (listener, address) = openListener()
        let client = openSocket(AF_INET, SOCK_STREAM)
        let near = try bench.associate(client)
        let connect = Lent(capacity: 0, address: address)
        bench.start(connect, on: near) { $0.connect($1) }
        let read = Lent(capacity: 8)
        bench.start(read, on: near) { $0.read($1, at: nil) }
        #expect(bench.packet(of: connect) == Completion(count: 0))
        listener.accepted().write([5])
        #expect(bench.packet(of: read) == Completion(count: 1))
        bench.end()
    }

    @Test("A socket that was associated before it was connected reads as thriftily as any other")
    func thriftAfterConnect() throws {
        let bench = try PortBench()
        let (listener, address) = openListener()
        let client = openSocket(AF_INET, SOCK_STREAM)
        let near = try bench.associate(client)
        #expect(bench.packetsNow().isEmpty, "the event of the fresh socket, with a hangup in it")
        let connect = Lent(capacity: 0, address: address)
        bench.start(connect, on: near) { $0.connect($1) }
        #expect(bench.packet(of: connect) == Completion(count: 0))
        let server = listener.accepted()
        server.write([1])
        let first = Lent(capacity: 8)
        bench.start(first, on: near) { $0.read($1, at: nil) }
        #expect(bench.packet(of: first).count == 1)

        // The number now names a socket with something to read: a system call would find it.
        let (spare, other) = (client.duplicate(), Carrier.unixStream.open())
        other.far.write([2])
        client.replace(with: other.near)
        let second = Lent(capacity: 8)
        bench.start(second, on: near) { $0.read($1, at: nil) }
        #expect(bench.packetsNow().isEmpty)
        client.replace(with: spare)
        server.write([3])
        #expect(bench.packet(of: second).count == 1)
        bench.end()
    }

    @Test("A connect that is refused says so", arguments: [InlineCompletion.never, .allowed])
    func refused(_ inline: InlineCompletion) throws {
        let bench = try PortBench()
        let (listener, address) = openListener()
        listener.close()
        let near = try bench.associate(openSocket(AF_INET, SOCK_STREAM))
        let connect = Lent(capacity: 0, address: address)
        let submission = bench.start(connect, on: near, inline: inline) { $0.connect($1) }
        let completion = submission == .owesPacket ? bench.packet(of: connect) : submission.completion
        #expect(completion.error == .number(ECONNREFUSED))
        #expect(completion.severity == .error)
        bench.end()
    }

    @Test("A connect without an address is refused before the call")
    func noAddress() throws {
        let bench = try PortBench()
        let near = try bench.associate(openSocket(AF_INET, SOCK_STREAM))
        #expect(bench.start(Lent(capacity: 0), on: near) { $0.connect($1) } == .refused(.number(EINVAL)))
        bench.end()
    }

    @Test("A connect to a Unix listener with a full queue is tried again until there is room")
    func fullUnixQueue() throws {
        let bench = try PortBench()
        let listener = openUnixSocket(SOCK_STREAM)
        listen(listener.fd, 0)
        let first = openSocket(AF_UNIX, SOCK_STREAM)
        first.connect(listener.localAddress)
        let near = try bench.associate(openSocket(AF_UNIX, SOCK_STREAM))
        let connect = Lent(capacity: 0, address: listener.localAddress)
        bench.start(connect, on: near) { $0.connect($1) }
        #expect(bench.packetsNow().isEmpty)
        _ = listener.accepted()
        #expect(bench.packet(of: connect) == Completion(count: 0))
        bench.end()
    }

    @Test("A verb that the handle cannot do ends with what the kernel says of it")
    func wrongKind() throws {
        let bench = try PortBench()
        let ends = Carrier.pipe.open()
        let near = try bench.associate(ends.near)
        let connect = Lent(capacity: 0, address: loopback(port: 9))
        bench.start(connect, on: near) { $0.connect($1) }
        #expect(bench.packet(of: connect).error == .number(ENOTSOCK))
        let write = Lent([1])
        #expect(
            bench.start(write, on: near, inline: .allowed) { $0.write($1, count: 1, at: nil) }.completion.error == .number(EBADF))
        bench.end()
    }
}

extension Submission {
    /// What a verb answered with at once.
    var completion: Completion {
        guard case .completed(let completion) = self else { return Completion(count: -1) }
        return completion
    }
}
