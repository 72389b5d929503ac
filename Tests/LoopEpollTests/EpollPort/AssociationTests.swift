import CTestSupport
import Glibc
import LoopCore
import LoopEpoll
import Testing

@Suite("EpollPort: associations", .ownDescriptors) struct AssociationTests {
    @Test("A blocking descriptor is refused, and left as it was", arguments: Carrier.allCases)
    func blocking(_ carrier: Carrier) throws {
        let bench = try PortBench()
        let ends = carrier.open()
        ends.near.makeBlocking()
        #expect(throws: AssociationError.blocking) { try bench.associate(ends.near) }
        #expect(!ends.near.isNonblocking)
        let near = try bench.associate(ends.near, options: .setNonblocking)
        #expect(ends.near.isNonblocking)
        let read = Lent(capacity: 4)
        bench.start(read, on: near) { $0.read($1, at: nil) }
        ends.far.write([1])
        #expect(bench.packet(of: read).count == 1)
        bench.end()
    }

    @Test("Numbers that name nothing, and directories, are refused by name")
    func badHandles() throws {
        let bench = try PortBench()
        let closed = OpenFile(path: "/dev/null", O_RDONLY)
        let number = closed.fd
        closed.close()
        #expect(throws: AssociationError.directory) { try bench.associate(OpenFile(path: "/tmp", O_RDONLY | O_DIRECTORY)) }
        let key = HandleKey(slot: 0, generation: 1)
        for bad in [-1, Int(number), .max] {
            #expect(throws: AssociationError.badHandle) { try bench.port.associate(NativeHandle(rawValue: bad), as: key, options: []) }
        }
        bench.end()
    }

    @Test("A descriptor is associated once, whatever it is", arguments: [false, true])
    func twice(_ isFile: Bool) throws {
        let bench = try PortBench()
        let file = isFile ? OpenFile(path: "/dev/null", O_RDWR) : Carrier.tcp.open().near
        let first = try bench.associate(file)
        #expect(throws: AssociationError.alreadyAssociated) { try bench.associate(file) }
        bench.dissociate(first)
        _ = try bench.associate(file)
        bench.end()
    }

    @Test("Two ports in one process do not mix their events up")
    func separate() throws {
        let (bench, other) = (try PortBench(), try PortBench())
        let ends = Carrier.unixStream.open()
        let (near, far) = (try bench.associate(ends.near), try other.associate(ends.far))
        let (read, write) = (Lent(capacity: 4), Lent([1, 2]))
        bench.start(read, on: near) { $0.read($1, at: nil) }
        other.start(write, on: far) { $0.write($1, count: 2, at: nil) }
        #expect(other.packet(of: write).count == 2)
        #expect(other.packetsNow().isEmpty)
        #expect(bench.packet(of: read).count == 2)
        other.end()
        bench.end()
    }

    @Test("When a closed number is associated again, what still waited there ends with EBADF, and only that", arguments: Carrier.allCases)
    func recycled(_ carrier: Carrier) throws {
        let bench = try PortBench()
        let old = carrier.open()
        let number = old.near.fd
        let oldNear = try bench.associate(old.near)
        let (read, waiter) = (Lent(capacity: 8), Lent(capacity: 0))
        bench.start(read, on: oldNear) { $0.read($1, at: nil) }
        bench.start(waiter, on: oldNear) { $0.poll($1, .readable) }
        let new = carrier.open()
        old.near.close()
        let newNear = try bench.associate(new.near.moved(to: number))
        let found = bench.packets(2)
        #expect(found.allSatisfy { $0.completion.error == .number(EBADF) && $0.completion.severity == .error })

        let next = Lent(capacity: 8)
        #expect(bench.start(next, on: oldNear) { $0.read($1, at: nil) } == .refused(.number(EBADF)))
        bench.start(next, on: newNear) { $0.read($1, at: nil) }
        new.far.write([1])
        #expect(bench.packet(of: next).count == 1)
        // The old association's end, said late, is not the new one's.
        bench.port.dissociate(NativeHandle(rawValue: Int(number)), as: oldNear.key)
        bench.start(next, on: newNear) { $0.read($1, at: nil) }
        new.far.write([2])
        #expect(bench.packet(of: next).count == 1)
        bench.end()
    }

    @Test("Events of a file that a dup keeps alive are dropped after its number was associated anew")
    func duplicated() throws {
        let bench = try PortBench()
        let old = Carrier.unixStream.open()
        let number = old.near.fd
        _ = try bench.associate(old.near)
        let copy = old.near.duplicate()
        let new = Carrier.unixStream.open()
        old.near.close()
        let newNear = try bench.associate(new.near.moved(to: number))
        let read = Lent(capacity: 8)
        bench.start(read, on: newNear) { $0.read($1, at: nil) }
        old.far.write([1])
        #expect(bench.packetsNow().isEmpty)
        #expect(bench.port.portMetrics.staleEvents > 0)
        new.far.write([2])
        #expect(bench.packet(of: read).count == 1)
        #expect(read.bytes(1) == [2])
        #expect(copy.readSoon() == [1])
        bench.end()
    }

    @Test("A child that holds the descriptors open keeps nothing of the port's going")
    func holdingChild() throws {
        let bench = try PortBench()
        let old = Carrier.unixStream.open()
        let number = old.near.fd
        _ = try bench.associate(old.near)
        let child = portloop_test_holding_child()
        let new = Carrier.unixStream.open()
        old.near.close()
        let near = try bench.associate(new.near.moved(to: number))
        let read = Lent(capacity: 4)
        bench.start(read, on: near) { $0.read($1, at: nil) }
        old.far.write([1])
        #expect(bench.packetsNow().isEmpty)
        #expect(bench.port.portMetrics.staleEvents > 0)
        new.far.write([2])
        #expect(bench.packet(of: read) == Completion(count: 1))
        #expect(read.bytes(1) == [2])
        portloop_test_end_child(child)
        bench.end()
    }

    @Test("What waits on a number that was closed without a word can still be cancelled")
    func closedSilently() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        let read = Lent(capacity: 8)
        bench.start(read, on: near) { $0.read($1, at: nil) }
        ends.near.close()
        #expect(bench.packetsNow().isEmpty)
        #expect(bench.cancel(read) == .requested)
        #expect(bench.packet(of: read) == .cancelled)
        bench.start(read, on: near) { $0.write($1, count: 1, at: nil) }
        #expect(bench.packet(of: read).error == .number(EBADF))
        bench.end()
    }

    @Test("Dissociating aborts what still waits, and makes the key worthless")
    func dissociating() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        _ = ends.near.fill()
        let (read, write, waiter) = (Lent(capacity: 8), Lent([1]), Lent(capacity: 0))
        bench.start(read, on: near) { $0.read($1, at: nil) }
        bench.start(write, on: near) { $0.write($1, count: 1, at: nil) }
        bench.start(waiter, on: near) { $0.poll($1, .readable) }
        bench.dissociate(near)
        #expect(bench.packets(3).allSatisfy { $0.completion == .cancelled })
        ends.far.write([1])
        #expect(bench.packetsNow().isEmpty)
        #expect(bench.start(read, on: near) { $0.read($1, at: nil) } == .refused(.number(EBADF)))
        #expect(bench.start(read, on: near) { $0.poll($1, .readable) } == .refused(.number(EBADF)))
        bench.end()
    }

    @Test("A closed port refuses everything and has let go of its descriptors")
    func closed() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        var guardian: Lent? = Lent(capacity: 0)
        weak let witness = guardian
        let attempt = Lent(capacity: 0)
        bench.start(attempt, on: near) { [guardian] in
            $0.attempt($1, nil) { _ in guardian == nil ? .done(count: 0) : .wouldBlock(.read) }
        }
        guardian = nil
        #expect(witness != nil)
        bench.port.close()
        #expect(witness == nil, "the function of a dropped attempt is let go")
        #expect(bench.port.pollableHandle == nil)
        let read = Lent(capacity: 4)
        #expect(bench.start(read, on: near) { $0.read($1, at: nil) } == .refused(.number(ESHUTDOWN)))
        #expect(bench.cancel(attempt) == .notFound)
        #expect(throws: AssociationError.closed) { try bench.associate(ends.near) }
        #expect(bench.wait(.forever).isEmpty)
        #expect(bench.port.waker.wake(), "a wake after the end is harmless")
        unsafe bench.port.post(read.block, Completion(count: 1))
        bench.port.close()
    }

    @Test("Packets that nobody took when the port closes do not leak the connections they brought")
    func closedWithConnection() throws {
        let bench = try PortBench()
        let (listener, address) = openListener()
        let near = try bench.associate(listener)
        let client = openSocket(AF_INET, SOCK_STREAM)
        client.connect(address)
        _ = bench.packetsNow()
        bench.start(Lent(capacity: 0), on: near) { $0.accept($1) }
        bench.port.close()
        // What is open at the end is counted by the suite's trait; the peer sees the end, too.
        var end: [UInt8]?
        while end == nil { end = client.read() }
        #expect(end == [])
    }

    @Test("A key of an old generation, or of no slot at all, is refused")
    func foreignKeys() throws {
        let bench = try PortBench()
        let near = try bench.associate(Carrier.pipe.open().near)
        for key in [HandleKey(slot: 0, generation: 9), HandleKey(slot: 1 << 20, generation: 1), HandleKey(word: .max)] {
            let stale = Associated(handle: near.handle, key: key)
            #expect(bench.start(Lent(capacity: 4), on: stale) { $0.read($1, at: nil) } == .refused(.number(EBADF)))
        }
        bench.end()
    }

    @Test("Many handles, in slots far apart, are kept apart")
    func manyHandles() throws {
        let bench = try PortBench()
        let ends = (0..<200).map { _ in Carrier.unixStream.open() }
        let nears = try ends.map { try bench.associate($0.near) }
        let reads = nears.map { near in
            let read = Lent(capacity: 4)
            bench.start(read, on: near) { $0.read($1, at: nil) }
            return read
        }
        for (index, pair) in ends.enumerated() { pair.far.write([UInt8(index)]) }
        let found = bench.packets(200)
        #expect(found.allSatisfy { $0.completion.count == 1 })
        #expect(reads.map { $0.bytes(1)[0] } == (0..<200).map { UInt8($0) })
        bench.end()
    }
}

extension OpenFile {
    /// The same object under a number that is free.
    func moved(to number: Int32) -> OpenFile {
        guard number != fd else { return self }
        _ = dup2(fd, number)
        close()
        let moved = OpenFile(number)
        moved.partner = partner
        return moved
    }
}
