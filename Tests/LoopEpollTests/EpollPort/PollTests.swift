import CLoopEpoll
import Glibc
import LoopCore
import LoopEpoll
import Testing

@Suite("EpollPort: readiness", .ownDescriptors) struct PollTests {
    @Test("What is ready already is answered at once", arguments: Carrier.duplex)
    func atOnce(_ carrier: Carrier) throws {
        let bench = try PortBench()
        let ends = carrier.open()
        let near = try bench.associate(ends.near)
        #expect(poll(bench, near, .writable, inline: .allowed).1 == .completed(Completion(count: Int(Readiness.writable.rawValue))))
        ends.far.write([1])
        let (both, submission) = poll(bench, near, [.readable, .writable])
        #expect(submission == .owesPacket)
        #expect(readiness(bench.packet(of: both)) == [.readable, .writable])
        bench.end()
    }

    @Test("A waiter for bytes is answered by their edge, whoever reads them", arguments: Carrier.allCases)
    func readable(_ carrier: Carrier) throws {
        let bench = try PortBench()
        let ends = carrier.open()
        let near = try bench.associate(ends.near)
        let (waiter, submission) = poll(bench, near, .readable)
        #expect(submission == .owesPacket)
        #expect(bench.packetsNow().isEmpty)
        ends.far.write([1])
        #expect(readiness(bench.packet(of: waiter)) == .readable)
        #expect(ends.near.read() == [1])
        bench.end()
    }

    @Test("A waiter for room is answered when the peer has made some", arguments: [Carrier.tcp, .unixStream, .pipe])
    func writable(_ carrier: Carrier) throws {
        let bench = try PortBench()
        let ends = carrier.openForWriting()
        let near = try bench.associate(ends.near)
        _ = ends.near.fill()
        let (waiter, submission) = poll(bench, near, .writable)
        #expect(submission == .owesPacket)
        var found: [Finished] = []
        while found.isEmpty {
            _ = ends.far.read()
            found = bench.wait(.poll)
        }
        #expect(found.map(\.lent.address) == [waiter.address])
        bench.end()
    }

    @Test("Waiters stand beside the lanes: neither a parked read nor a parked write keeps them waiting")
    func noQueueing() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        _ = ends.near.fill()
        let write = Lent([1])
        bench.start(write, on: near) { $0.write($1, count: 1, at: nil) }
        let (forBytes, _) = poll(bench, near, .readable)
        let (forEither, _) = poll(bench, near, [.readable, .writable])
        ends.far.write([9])
        let found = bench.packets(2)
        #expect(Set(found.map(\.lent.address)) == [forBytes.address, forEither.address])
        #expect(found.allSatisfy { readiness($0.completion) == .readable })
        while bench.owedCount > 0 {
            _ = ends.far.read()
            _ = bench.wait(.poll)
        }
        bench.end()
    }

    @Test("An edge that is not what a waiter waits for leaves it waiting")
    func otherEdge() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        _ = ends.near.fill()
        let (waiter, _) = poll(bench, near, .writable)
        ends.far.write([1])
        #expect(bench.packetsNow().isEmpty)
        #expect(bench.cancel(waiter) == .requested)
        #expect(bench.packet(of: waiter).severity == .aborted)
        bench.end()
    }

    @Test("A hangup answers every waiter, whatever it asked for")
    func hangup() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        let (waiter, _) = poll(bench, near, .priority)
        ends.far.close()
        #expect(readiness(bench.packet(of: waiter)).contains(.hangup))
        bench.end()
    }

    @Test("Urgent data is readiness of its own kind")
    func urgent() throws {
        let bench = try PortBench()
        let ends = Carrier.tcp.open()
        let near = try bench.associate(ends.near)
        let (waiter, _) = poll(bench, near, .priority)
        unsafe _ = [UInt8(1)].withUnsafeBytes { unsafe Glibc.send(ends.far.fd, $0.baseAddress, 1, Int32(MSG_OOB)) }
        #expect(readiness(bench.packet(of: waiter)) == .priority)
        bench.end()
    }

    @Test("Bytes before and after an urgent mark are all read, though a read stops at the mark")
    func urgentMark() throws {
        let bench = try PortBench()
        let ends = Carrier.tcp.open()
        let near = try bench.associate(ends.near)
        ends.far.write([1, 2])
        unsafe _ = [UInt8(7)].withUnsafeBytes { unsafe Glibc.send(ends.far.fd, $0.baseAddress, 1, Int32(MSG_OOB)) }
        ends.far.write([3, 4])
        while bytesWaiting(ends.near) < 2 {}
        var arrived: [UInt8] = []
        while arrived.count < 4 {
            let read = Lent(capacity: 16)
            bench.start(read, on: near) { $0.read($1, at: nil) }
            let completion = bench.packet(of: read)
            guard completion.count > 0 else { break }
            arrived += read.bytes(completion.count)
        }
        #expect(arrived == [1, 2, 3, 4])
        bench.end()
    }

    @Test("What is no stream at all is waited for and read all the same")
    func oddDescriptors() throws {
        let bench = try PortBench()
        let counter = OpenFile(portloop_eventfd_create())
        let watcher = OpenFile(inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC)))
        let path = TemporaryPath()
        let folder = String(path.text.dropLast("/file".count))
        unsafe inotify_add_watch(watcher.fd, folder, UInt32(IN_CREATE))
        let (near, other) = (try bench.associate(counter), try bench.associate(watcher))
        let (read, event) = (Lent(capacity: 8), Lent(capacity: 1024))
        bench.start(read, on: near) { $0.read($1, at: nil) }
        bench.start(event, on: other) { $0.read($1, at: nil) }
        #expect(bench.packetsNow().isEmpty)
        let add = Lent([3, 0, 0, 0, 0, 0, 0, 0])
        #expect(bench.start(add, on: near, inline: .allowed) { $0.write($1, count: 8, at: nil) } == .completed(Completion(count: 8)))
        #expect(bench.packet(of: read) == Completion(count: 8))
        #expect(read.bytes(1) == [3])
        OpenFile(path: path.text, O_CREAT | O_WRONLY).close()
        #expect(bench.packet(of: event).count > 0)
        bench.end()
    }

    private func poll(
        _ bench: PortBench, _ near: Associated, _ interest: Readiness, inline: InlineCompletion = .never
    ) -> (Lent, Submission) {
        let waiter = Lent(capacity: 0)
        return (waiter, bench.start(waiter, on: near, inline: inline) { $0.poll($1, interest) })
    }

    private func readiness(_ completion: Completion) -> Readiness { Readiness(rawValue: UInt8(completion.count)) }
}
