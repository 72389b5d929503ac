import CLoopEpoll
import Glibc
import LoopCore
import LoopEpoll
import Testing

@Suite("EpollPort: streams", .ownDescriptors) struct StreamTests {
    @Test("A read of an idle stream waits, and ends with the bytes that come", arguments: Carrier.allCases)
    func readWaits(_ carrier: Carrier) throws {
        let bench = try PortBench()
        let ends = carrier.open()
        let near = try bench.associate(ends.near)
        let read = Lent(capacity: 16)
        #expect(bench.start(read, on: near, inline: .allowed) { $0.read($1, at: nil) } == .owesPacket)
        #expect(bench.packetsNow().isEmpty)
        ends.far.write(Array("hello".utf8))
        #expect(bench.packet(of: read) == Completion(count: 5))
        #expect(read.bytes(5) == Array("hello".utf8))
        bench.end()
    }

    @Test("Bytes that are there when the handle is associated are found without a new edge", arguments: Carrier.allCases)
    func firstEdge(_ carrier: Carrier) throws {
        let bench = try PortBench()
        let ends = carrier.open()
        ends.far.write([1, 2, 3])
        let near = try bench.associate(ends.near)
        let read = Lent(capacity: 16)
        bench.start(read, on: near) { $0.read($1, at: nil) }
        #expect(bench.packet(of: read) == Completion(count: 3))
        bench.end()
    }

    @Test("A read that finds bytes at once answers with them where that is allowed, and by a packet where it is not")
    func inlineRead() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        ends.far.write([1, 2, 3, 4])
        #expect(bench.packetsNow().isEmpty)
        let first = Lent(capacity: 2)
        #expect(bench.start(first, on: near, inline: .allowed) { $0.read($1, at: nil) } == .completed(Completion(count: 2)))
        let second = Lent(capacity: 2)
        #expect(bench.start(second, on: near, inline: .never) { $0.read($1, at: nil) } == .owesPacket)
        #expect(bench.packet(of: second) == Completion(count: 2))
        #expect(first.bytes(2) + second.bytes(2) == [1, 2, 3, 4])
        bench.end()
    }

    @Test("Reads end in the order they were started, each with its own bytes", arguments: Carrier.allCases)
    func readOrder(_ carrier: Carrier) throws {
        let bench = try PortBench()
        let ends = carrier.open()
        let near = try bench.associate(ends.near)
        let reads = (0..<3).map { _ in Lent(capacity: 2) }
        for read in reads { bench.start(read, on: near) { $0.read($1, at: nil) } }
        ends.far.write([1, 2, 3, 4, 5])
        let found = bench.packets(3)
        #expect(found.map(\.lent.address) == reads.map(\.address))
        #expect(found.map(\.completion.count) == [2, 2, 1])
        #expect(found.flatMap { $0.lent.bytes($0.completion.count) } == [1, 2, 3, 4, 5])
        bench.end()
    }

    @Test("A write of a megabyte is one packet, whatever the stream takes at a time", arguments: Carrier.allCases)
    func wholeWrite(_ carrier: Carrier) throws {
        let bench = try PortBench()
        let ends = carrier.openForWriting()
        let near = try bench.associate(ends.near)
        let bytes = [UInt8].pattern(1 << 20)
        let write = Lent(bytes)
        bench.start(write, on: near) { $0.write($1, count: bytes.count, at: nil) }
        var arrived: [UInt8] = []
        var found: [Finished] = []
        while arrived.count < bytes.count {
            found += bench.wait(.poll)
            if let more = ends.far.read() { arrived += more }
        }
        found += bench.packetsNow()
        #expect(found.map(\.completion) == [Completion(count: bytes.count)])
        #expect(arrived == bytes)
        bench.end()
    }

    @Test("Writes behind a long one follow it in order", arguments: [Carrier.tcp, .unixStream, .pipe])
    func writeOrder(_ carrier: Carrier) throws {
        let bench = try PortBench()
        let ends = carrier.openForWriting()
        let near = try bench.associate(ends.near)
        let long = [UInt8].pattern(700_000)
        let writes = [Lent(long), Lent([1]), Lent([2, 3])]
        for (write, count) in zip(writes, [long.count, 1, 2]) { bench.start(write, on: near) { $0.write($1, count: count, at: nil) } }
        var arrived: [UInt8] = []
        var found: [Finished] = []
        while arrived.count < long.count + 3 {
            found += bench.wait(.poll)
            if let more = ends.far.read() { arrived += more }
        }
        found += bench.packetsNow()
        #expect(found.map(\.lent.address) == writes.map(\.address))
        #expect(arrived == long + [1, 2, 3])
        bench.end()
    }

    @Test("A long write that is not blocked gives way to others between its chunks")
    func longWriteGivesWay() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        ends.near.setOption(SOL_SOCKET, SO_SNDBUFFORCE, 8 << 20)
        let near = try bench.associate(ends.near)
        let bytes = [UInt8](repeating: 7, count: 1 << 20)
        let write = Lent(bytes)
        bench.start(write, on: near) { $0.write($1, count: bytes.count, at: nil) }
        #expect(bench.port.nextDeadline != nil, "there is more to do, though the kernel has no event for it")
        let posted = Lent(capacity: 0)
        bench.post(posted, Completion(count: 1))
        let found = bench.wait(.forever)
        #expect(found.map(\.lent.address) == [posted.address], "what is ready comes before the rest of the write")
        #expect(bench.packet(of: write).count == bytes.count)
        #expect(bench.port.nextDeadline == nil)
        bench.end()
    }

    @Test(
        "A write into a full stream waits for room; the kernel is asked to tell of room once", arguments: [Carrier.tcp, .unixStream, .pipe])
    func roomIsAskedForLate(_ carrier: Carrier) throws {
        let bench = try PortBench()
        let ends = carrier.openForWriting()
        let near = try bench.associate(ends.near)
        #expect(bench.port.registrations == 1)
        for byte in UInt8(0)..<100 {
            let write = Lent([byte])
            #expect(bench.start(write, on: near, inline: .allowed) { $0.write($1, count: 1, at: nil) } == .completed(Completion(count: 1)))
        }
        #expect(bench.port.registrations == 1, "what never waits to write is never registered for it")
        for _ in 0..<3 {
            _ = ends.near.fill()
            let write = Lent([UInt8](repeating: 1, count: 4096))
            bench.start(write, on: near) { $0.write($1, count: 4096, at: nil) }
            while bench.owedCount > 0 {
                _ = ends.far.read()
                _ = bench.wait(.poll)
            }
        }
        #expect(bench.port.registrations == 2)
        bench.end()
    }

    @Test(
        "A write that may finish inline and finds too little room, or none, goes on when there is more",
        arguments: [Carrier.tcp, .unixStream, .pipe], [false, true])
    func inlineWriteGoesOn(_ carrier: Carrier, _ hasRoom: Bool) throws {
        let bench = try PortBench()
        let ends = carrier.openForWriting()
        ends.near.setOption(SOL_SOCKET, SO_SNDBUF, 1 << 14)
        let near = try bench.associate(ends.near)
        var before = ends.near.fill()
        while hasRoom, !ends.near.isWritable { before -= ends.far.read(max: 4096)?.count ?? 0 }
        let wanted = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let write = Lent(wanted)
        #expect(bench.start(write, on: near, inline: .allowed) { $0.write($1, count: wanted.count, at: nil) } == .owesPacket)
        var (found, packets) = ([UInt8](), [Finished]())
        while found.count < before + wanted.count {
            found += ends.far.read() ?? []
            packets += bench.wait(.poll)
        }
        packets += bench.packetsNow()
        #expect(packets.map(\.completion) == [Completion(count: wanted.count)])
        #expect(found.suffix(wanted.count) == wanted[...])
        #expect(bench.port.registrations == 2)
        bench.end()
    }

    @Test("The end of a stream comes after its last bytes, also when both are one edge", arguments: Carrier.allCases)
    func endSharesEdge(_ carrier: Carrier) throws {
        let bench = try PortBench()
        let ends = carrier.open()
        let near = try bench.associate(ends.near)
        let reads = [Lent(capacity: 64), Lent(capacity: 64)]
        for read in reads { bench.start(read, on: near) { $0.read($1, at: nil) } }
        ends.far.write([1, 2, 3])
        ends.far.close()
        let found = bench.packets(2)
        // What a terminal had when its master went away is lost in the kernel.
        let isTerminal = carrier == .terminal
        #expect(found.map(\.completion.count) == (isTerminal ? [0, 0] : [3, 0]))
        #expect(found.allSatisfy { $0.completion.severity == .success })
        bench.end()
    }

    @Test("The end of a stream is found by a read that is started after its edge was seen", arguments: [Carrier.tcp, .unixStream])
    func endBeforeRead(_ carrier: Carrier) throws {
        let bench = try PortBench()
        let ends = carrier.open()
        let near = try bench.associate(ends.near)
        ends.far.write([1, 2, 3])
        ends.far.shutdown(Int32(SHUT_WR))
        while ends.near.endsUnread { _ = bench.wait(.poll) }
        let (first, second) = (Lent(capacity: 64), Lent(capacity: 64))
        bench.start(first, on: near) { $0.read($1, at: nil) }
        #expect(bench.packet(of: first) == Completion(count: 3))
        bench.start(second, on: near) { $0.read($1, at: nil) }
        #expect(bench.packet(of: second) == Completion(count: 0))
        bench.end()
    }

    @Test("After a short read of a TCP stream the next read waits without a system call")
    func shortReadSavesCall() throws {
        let bench = try PortBench()
        let (ends, other) = (Carrier.tcp.open(), Carrier.tcp.open())
        let near = try bench.associate(ends.near)
        ends.far.write([1])
        let first = Lent(capacity: 16)
        bench.start(first, on: near) { $0.read($1, at: nil) }
        #expect(bench.packet(of: first).count == 1)

        // The number now names a socket with something to read: a system call would find it.
        let spare = ends.near.duplicate()
        other.far.write([2])
        while bytesWaiting(other.near) == 0 {}
        ends.near.replace(with: other.near)
        let second = Lent(capacity: 16)
        bench.start(second, on: near) { $0.read($1, at: nil) }
        #expect(bench.packetsNow().isEmpty)

        ends.near.replace(with: spare)
        ends.far.write([3])
        #expect(bench.packet(of: second).count == 1)
        #expect(second.bytes(1) == [3])
        bench.end()
    }

    @Test("A full read of a TCP stream is followed by one that looks for more")
    func fullReadLooksAgain() throws {
        let bench = try PortBench()
        let ends = Carrier.tcp.open()
        let near = try bench.associate(ends.near)
        ends.far.write([1, 2, 3, 4])
        for _ in 0..<2 {
            let read = Lent(capacity: 2)
            bench.start(read, on: near) { $0.read($1, at: nil) }
            #expect(bench.packet(of: read).count == 2)
        }
        bench.end()
    }

    @Test("A read without room waits for bytes and takes none", arguments: Carrier.allCases)
    func emptyRead(_ carrier: Carrier) throws {
        let bench = try PortBench()
        let ends = carrier.open()
        let near = try bench.associate(ends.near)
        let empty = Lent(capacity: 0)
        bench.start(empty, on: near) { $0.read($1, at: nil) }
        #expect(bench.packetsNow().isEmpty)
        ends.far.write([9])
        #expect(bench.packet(of: empty) == Completion(count: 0))
        let read = Lent(capacity: 4)
        #expect(bench.start(read, on: near, inline: .allowed) { $0.read($1, at: nil) } == .completed(Completion(count: 1)))
        bench.end()
    }

    @Test("A write of nothing is done at once")
    func emptyWrite() throws {
        let bench = try PortBench()
        let near = try bench.associate(Carrier.pipe.openForWriting().near)
        let write = Lent(capacity: 4)
        #expect(bench.start(write, on: near, inline: .allowed) { $0.write($1, count: 0, at: nil) } == .completed(Completion(count: 0)))
        bench.end()
    }

    @Test("A write that the peer resets half way ends with its error and the bytes that went out")
    func brokenWrite() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        let write = Lent([UInt8](repeating: 1, count: 4 << 20))
        bench.start(write, on: near) { $0.write($1, count: 4 << 20, at: nil) }
        ends.far.close()
        let completion = bench.packet(of: write)
        #expect(completion.error == .number(EPIPE))
        #expect(completion.status.rawValue == UInt32(EPIPE))
        #expect(completion.severity == .error)
        #expect(completion.count > 0 && completion.count < 4 << 20)
        bench.end()
    }

    @Test("A count beyond the buffer is refused, and no call is made")
    func countOutOfRange() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        for count in [-1, 5] {
            let write = Lent([1, 2, 3, 4])
            #expect(bench.start(write, on: near) { $0.write($1, count: count, at: nil) } == .refused(.number(EINVAL)))
            #expect(bench.start(write, on: near) { $0.send($1, count: count) } == .refused(.number(EINVAL)))
        }
        #expect(ends.far.read() == nil)
        bench.end()
    }
}

extension OpenFile {
    /// Whether the peer's end of writing has not arrived yet.
    fileprivate var endsUnread: Bool { portloop_poll_now(fd, 0x2000) & 0x2000 == 0 }  // POLLRDHUP
}
