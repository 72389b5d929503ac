import LoopCore
import LoopEpoll
import Testing

/// One answer of the kernel's may speak of many descriptors: the port follows it in shares of thirty-two.
@Suite("EpollPort: one answer in shares", .ownDescriptors) struct ShareTests {
    @Test("A hundred descriptors that are ready together are served in order, in shares, and the kernel is asked once")
    func shares() throws {
        let bench = try PortBench()
        let lines = try (0..<100).map { _ in try Line(bench) }
        for line in lines { line.ends.far.write([1]) }
        let askedBefore = bench.port.portMetrics.kernelWaits
        var sizes: [Int] = []
        var served: [ObjectIdentifier] = []
        while served.count < lines.count, sizes.count < 10 {
            let packets = bench.wait(.forever)
            sizes.append(packets.count)
            served += packets.map { ObjectIdentifier($0.lent) }
            let isLeft = served.count < lines.count
            #expect((bench.port.nextDeadline != nil) == isLeft, "whoever polls the port from outside is told to come again at once")
        }
        #expect(sizes == [32, 32, 32, 4])
        #expect(served == lines.map { ObjectIdentifier($0.read) })
        #expect(bench.port.portMetrics.kernelWaits - askedBefore == 1)
        bench.end()
    }

    @Test("What happens to those whose share has not come yet counts: cancelled, dissociated, read by somebody else")
    func between() throws {
        let bench = try PortBench()
        let lines = try (0..<80).map { _ in try Line(bench) }
        for line in lines { line.ends.far.write([1]) }
        #expect(bench.wait(.forever).count == 32)
        let (cancelled, gone, emptied) = (lines[40], lines[50], lines[60])
        #expect(bench.cancel(cancelled.read) == .requested)
        bench.dissociate(gone.near)
        #expect(emptied.ends.near.read() == [1], "somebody else takes the byte")
        var rest = bench.packets(47)
        let ends = [cancelled, gone].map { line in rest.first { $0.lent === line.read }?.completion.severity }
        #expect(ends == [.aborted, .aborted])
        #expect(!rest.contains { $0.lent === emptied.read })
        emptied.ends.far.write([2])
        rest = bench.packets(1)
        #expect(rest.first?.lent === emptied.read && rest.first?.completion.count == 1)
        bench.end()
    }

    @Test("An event that comes between the shares is heard of behind them") func late() throws {
        let bench = try PortBench()
        let lines = try (0..<80).map { _ in try Line(bench) }
        for line in lines { line.ends.far.write([1]) }
        #expect(bench.wait(.forever).count == 32)
        let late = try Line(bench)
        late.ends.far.write([1])
        #expect(bench.wait(.forever).count == 32)
        #expect(bench.wait(.forever).count == 16)
        #expect(bench.wait(.forever).first?.lent === late.read)
        bench.end()
    }
}

/// A socket pair with a read that waits at the near end.
private final class Line {
    let ends: Ends
    let near: Associated
    let read = Lent(capacity: 4)

    init(_ bench: PortBench) throws {
        ends = Carrier.unixStream.open()
        near = try bench.associate(ends.near)
        bench.start(read, on: near) { $0.read($1, at: nil) }
    }
}
