import Glibc
import LoopCore
import LoopEpoll
import Testing

@Suite("EpollPort: messages", .ownDescriptors) struct MessageTests {
    @Test("A datagram comes with its sender")
    func sender() throws {
        let bench = try PortBench()
        let (near, far) = (openSocket(AF_INET, SOCK_DGRAM), openSocket(AF_INET, SOCK_DGRAM))
        near.bind(loopback(port: 0))
        far.bind(loopback(port: 0))
        let receiver = try bench.associate(near)
        let receive = Lent(capacity: 32, hasAddress: true)
        bench.start(receive, on: receiver) { $0.receive($1) }
        #expect(bench.packetsNow().isEmpty)
        #expect(far.send([1, 2, 3], to: near.localAddress) == 3)
        #expect(bench.packet(of: receive) == Completion(count: 3))
        #expect(receive.bytes(3) == [1, 2, 3])
        #expect(receive.socketAddress.length == 16)
        #expect(receive.socketAddress.port == far.localAddress.port)
        bench.end()
    }

    @Test("A datagram goes to the request's address")
    func target() throws {
        let bench = try PortBench()
        let (near, far) = (openSocket(AF_INET, SOCK_DGRAM), openSocket(AF_INET, SOCK_DGRAM))
        far.bind(loopback(port: 0))
        let sender = try bench.associate(near)
        let send = Lent([4, 5, 6], address: far.localAddress)
        #expect(bench.start(send, on: sender, inline: .allowed) { $0.send($1, count: 2) } == .completed(Completion(count: 2)))
        #expect(far.readSoon() == [4, 5])
        bench.end()
    }

    @Test("A datagram that does not fit is cut, with a warning and the bytes that are there", arguments: [AF_INET, AF_UNIX])
    func cut(_ family: Int32) throws {
        let bench = try PortBench()
        let ends = family == AF_UNIX ? socketPair(Int32(SOCK_DGRAM.rawValue)) : udpEnds()
        let near = try bench.associate(ends.near)
        for useRead in [false, true] {
            ends.far.write([1, 2, 3, 4, 5])
            let receive = Lent(capacity: 3)
            bench.start(receive, on: near) { useRead ? $0.read($1, at: nil) : $0.receive($1) }
            let completion = bench.packet(of: receive)
            #expect(completion.count == 3)
            #expect(completion.severity == .warning)
            #expect(completion.error == .number(EMSGSIZE))
            #expect(receive.bytes(3) == [1, 2, 3])
        }
        bench.end()
    }

    @Test("Each receive gets one message, in order", arguments: [Int32(SOCK_DGRAM.rawValue), Int32(SOCK_SEQPACKET.rawValue)])
    func boundaries(_ type: Int32) throws {
        let bench = try PortBench()
        let ends = socketPair(type)
        let near = try bench.associate(ends.near)
        let receives = (0..<3).map { _ in Lent(capacity: 16) }
        for receive in receives { bench.start(receive, on: near) { $0.receive($1) } }
        for message in [[1], [2, 2], [3, 3, 3]] as [[UInt8]] { ends.far.write(message) }
        #expect(bench.packets(3).map { $0.lent.bytes($0.completion.count) } == [[1], [2, 2], [3, 3, 3]])
        bench.end()
    }

    @Test("An empty datagram is a message of no bytes")
    func empty() throws {
        let bench = try PortBench()
        let ends = udpEnds()
        let near = try bench.associate(ends.near)
        let receive = Lent(capacity: 4)
        bench.start(receive, on: near) { $0.receive($1) }
        _ = Glibc.send(ends.far.fd, nil, 0, 0)
        #expect(bench.packet(of: receive) == Completion(count: 0))
        let send = Lent(capacity: 0)
        #expect(bench.start(send, on: near, inline: .allowed) { $0.send($1, count: 0) } == .completed(Completion(count: 0)))
        #expect(ends.far.readSoon() == [])
        bench.end()
    }

    @Test("A write on a message socket is one message, also from several ranges, and is never split")
    func wholeMessages() throws {
        let bench = try PortBench()
        let ends = socketPair(Int32(SOCK_DGRAM.rawValue))
        let near = try bench.associate(ends.near)
        let write = Lent([UInt8].pattern(2000))
        bench.start(write, on: near) { $0.write($1, count: 2000, at: nil) }
        #expect(bench.packet(of: write) == Completion(count: 2000))
        #expect(ends.far.readSoon() == [UInt8].pattern(2000))
        bench.start(write, on: near) { $0.write($1, segments: [0..<3, 5..<7], at: nil) }
        #expect(bench.packet(of: write) == Completion(count: 5))
        let pattern = [UInt8].pattern(7)
        #expect(ends.far.readSoon() == Array(pattern[0..<3] + pattern[5..<7]))

        let huge = Lent([UInt8](repeating: 0, count: 8 << 20))
        bench.start(huge, on: near) { $0.write($1, count: 8 << 20, at: nil) }
        let refused = bench.packet(of: huge)
        #expect(refused.error == .number(EMSGSIZE))
        #expect(refused.severity == .error)
        #expect(refused.count == 0)
        #expect(ends.far.read() == nil)
        bench.end()
    }

    @Test("A message to a connected peer with a full queue waits for room")
    func fullQueue() throws {
        let bench = try PortBench()
        let ends = socketPair(Int32(SOCK_DGRAM.rawValue))
        let near = try bench.associate(ends.near)
        while ends.near.write([0]) == 1 {}
        let send = Lent([7])
        bench.start(send, on: near) { $0.send($1, count: 1) }
        #expect(bench.packetsNow().isEmpty)
        while ends.far.read() == [0] {}
        #expect(bench.packet(of: send) == Completion(count: 1))
        #expect(ends.far.readSoon() == [7])
        bench.end()
    }

    @Test("A message to a stranger with a full queue is tried again until there is room, though no edge tells of it")
    func strangersFullQueue() throws {
        let bench = try PortBench()
        let (near, far) = (openSocket(AF_UNIX, SOCK_DGRAM), openUnixSocket(SOCK_DGRAM))
        let sender = try bench.associate(near)
        while near.send([0], to: far.localAddress) == 1 {}
        let send = Lent([7], address: far.localAddress)
        bench.start(send, on: sender) { $0.send($1, count: 1) }
        #expect(bench.packetsNow().isEmpty)
        while far.read() == [0] {}
        #expect(bench.packet(of: send) == Completion(count: 1))
        #expect(far.readSoon() == [7])
        bench.end()
    }

    @Test("What the network says of an earlier datagram ends the receive with its error")
    func refusedDatagram() throws {
        let bench = try PortBench()
        let (near, gone) = (openSocket(AF_INET, SOCK_DGRAM), openSocket(AF_INET, SOCK_DGRAM))
        gone.bind(loopback(port: 0))
        near.connect(gone.localAddress)
        gone.close()
        let receiver = try bench.associate(near)
        let receive = Lent(capacity: 8)
        bench.start(receive, on: receiver) { $0.receive($1) }
        near.write([1])
        #expect(bench.packet(of: receive).error == .number(ECONNREFUSED))
        bench.end()
    }
}

/// Two UDP sockets that are connected to each other.
func udpEnds() -> Ends {
    let (near, far) = (openSocket(AF_INET, SOCK_DGRAM), openSocket(AF_INET, SOCK_DGRAM))
    near.bind(loopback(port: 0))
    far.bind(loopback(port: 0))
    near.connect(far.localAddress)
    far.connect(near.localAddress)
    return Ends(near: near, far: far)
}
