import Glibc
import LoopCore
import LoopEpoll
import Testing

@Suite("EpollPort: cancelling", .ownDescriptors) struct CancelTests {
    @Test("A parked read is aborted, and the next one gets the bytes", arguments: Carrier.allCases)
    func parkedRead(_ carrier: Carrier) throws {
        let bench = try PortBench()
        let ends = carrier.open()
        let near = try bench.associate(ends.near)
        let reads = (0..<3).map { _ in Lent(capacity: 8) }
        for read in reads { bench.start(read, on: near) { $0.read($1, at: nil) } }
        #expect(bench.cancel(reads[1]) == .requested)
        #expect(bench.packet(of: reads[1]) == .cancelled)
        #expect(bench.cancel(reads[0]) == .requested)
        #expect(bench.packet(of: reads[0]) == .cancelled)
        ends.far.write([1])
        #expect(bench.packet(of: reads[2]) == Completion(count: 1))
        bench.end()
    }

    @Test("An operation that has finished is not found: its packet says what it did")
    func finished() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        ends.far.write([1])
        #expect(bench.packetsNow().isEmpty)
        let read = Lent(capacity: 8)
        bench.start(read, on: near) { $0.read($1, at: nil) }
        #expect(bench.cancel(read) == .notFound)
        #expect(bench.packet(of: read) == Completion(count: 1))
        bench.end()
    }

    @Test("A block that no verb has touched is not found, queued or not")
    func untouched() throws {
        let bench = try PortBench()
        let near = try bench.associate(Carrier.pipe.open().near)
        let lent = Lent(capacity: 0)
        lent.begin(on: near)
        #expect(bench.cancel(lent) == .notFound)
        bench.post(lent, Completion(count: 5))
        #expect(bench.cancel(lent) == .notFound)
        #expect(bench.packet(of: lent) == Completion(count: 5))
        bench.end()
    }

    @Test("Cancelling twice is answered once with a packet")
    func twice() throws {
        let bench = try PortBench()
        let near = try bench.associate(Carrier.pipe.open().near)
        let read = Lent(capacity: 8)
        bench.start(read, on: near) { $0.read($1, at: nil) }
        #expect(bench.cancel(read) == .requested)
        #expect(bench.cancel(read) == .notFound)
        #expect(bench.packet(of: read) == .cancelled)
        bench.end()
    }

    @Test("An accept, a connect, a receive and a poll are aborted like any other")
    func everyVerb() throws {
        let bench = try PortBench()
        let listener = try bench.associate(openListener().listener)
        let datagrams = try bench.associate(udpEnds().near)
        let pair = try bench.associate(Carrier.unixStream.open().near)
        let (accept, receive, poll) = (Lent(capacity: 0), Lent(capacity: 8), Lent(capacity: 0))
        bench.start(accept, on: listener) { $0.accept($1) }
        bench.start(receive, on: datagrams) { $0.receive($1) }
        bench.start(poll, on: pair) { $0.poll($1, .readable) }
        for lent in [accept, receive, poll] {
            #expect(bench.cancel(lent) == .requested)
            #expect(bench.packet(of: lent) == .cancelled)
        }
        bench.end()
    }

    @Test(
        "A write cut off half way counts what went out, and those behind it fail", arguments: [Carrier.tcp, .unixStream, .pipe, .terminal])
    func tornStream(_ carrier: Carrier) throws {
        let bench = try PortBench()
        let ends = carrier.openForWriting()
        let near = try bench.associate(ends.near)
        let long = Lent([UInt8](repeating: 1, count: 16 << 20))
        let behind = [Lent([2]), Lent([3])]
        bench.start(long, on: near) { $0.write($1, count: 16 << 20, at: nil) }
        bench.start(behind[0], on: near) { $0.write($1, count: 1, at: nil) }
        bench.start(behind[1], on: near) { $0.write($1, segments: [0..<1], at: nil) }
        #expect(bench.packetsNow().isEmpty)
        #expect(bench.cancel(long) == .requested)
        let found = bench.packets(3)
        #expect(found.map(\.lent.address) == ([long] + behind).map(\.address))
        let sent = found[0].completion.count
        #expect(found[0].completion == .cancelled(count: sent))
        for torn in found[1...].map(\.completion) {
            #expect(torn.error == .number(ECANCELED))
            #expect(torn.severity == .error, "nobody asked for these to end")
            #expect(torn.count == 0)
        }
        var arrived = 0
        while let more = ends.far.read() { arrived += more.count }
        #expect(arrived == sent)

        let next = Lent([4])
        #expect(bench.start(next, on: near, inline: .allowed) { $0.write($1, count: 1, at: nil) } != .refused(.number(ECANCELED)))
        if bench.owedCount > 0 { _ = bench.packets(1) }
        bench.end()
    }

    @Test("A write cancelled before anything went out harms nobody")
    func untornStream() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        _ = ends.near.fill()
        let writes = (0..<3).map { Lent([UInt8($0)]) }
        for write in writes { bench.start(write, on: near) { $0.write($1, count: 1, at: nil) } }
        #expect(bench.cancel(writes[0]) == .requested)
        #expect(bench.packet(of: writes[0]) == .cancelled)
        var tail: [UInt8] = []
        while bench.owedCount > 0 {
            if let more = ends.far.read() { tail = more }
            _ = bench.wait(.poll)
        }
        while let more = ends.far.read() { tail += more }
        #expect(Array(tail.suffix(2)) == [1, 2])
        bench.end()
    }

    @Test("A packet that has not been handed out yet is not changed by a cancel: success beats it")
    func successBeatsCancel() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        let (read, other) = (Lent(capacity: 8), Lent(capacity: 0))
        bench.start(read, on: near) { $0.read($1, at: nil) }
        ends.far.write([1, 2])
        bench.post(other, Completion(count: 0))
        let handedOut = bench.wait(.poll)
        #expect(handedOut.map(\.lent.address) == [other.address], "what is ready is handed out before the kernel is asked")
        // The kernel has the bytes, the port does not know: the cancel comes first here, and nothing is lost.
        #expect(bench.cancel(read) == .requested)
        #expect(bench.packet(of: read) == .cancelled)
        bench.start(read, on: near) { $0.read($1, at: nil) }
        #expect(bench.packet(of: read) == Completion(count: 2))
        bench.end()
    }
}
