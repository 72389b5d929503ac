import Glibc
import LoopCore
import LoopEpoll
import Testing

@Suite("EpollPort: gathered writes", .ownDescriptors) struct GatherTests {
    @Test("The ranges of the buffer go out in their order, as one write", arguments: [Carrier.tcp, .unixStream, .pipe, .terminal])
    func order(_ carrier: Carrier) throws {
        let bench = try PortBench()
        let ends = carrier.openForWriting()
        let near = try bench.associate(ends.near)
        let write = Lent(Array(0..<100))
        #expect(
            bench.start(write, on: near, inline: .allowed) { $0.write($1, segments: [90..<93, 0..<0, 10..<12, 11..<13], at: nil) }
                == .completed(Completion(count: 7)))
        var arrived: [UInt8] = []
        while arrived.count < 7 { arrived += ends.far.read() ?? [] }
        #expect(arrived == [90, 91, 92, 10, 11, 11, 12])
        bench.end()
    }

    @Test(
        "A gathered write that the stream takes in parts goes on where it stopped", arguments: [Carrier.tcp, .unixStream, .pipe, .terminal])
    func parts(_ carrier: Carrier) throws {
        let bench = try PortBench()
        let ends = carrier.openForWriting()
        let near = try bench.associate(ends.near)
        let bytes = [UInt8].pattern(900_000)
        let write = Lent(bytes)
        let segments = [500_000..<900_000, 0..<1, 1..<100_001, 450_000..<450_003]
        bench.start(write, on: near) { $0.write($1, segments: segments, at: nil) }
        let expected = segments.flatMap { Array(bytes[$0]) }
        var arrived: [UInt8] = []
        var found: [Finished] = []
        while arrived.count < expected.count {
            found += bench.wait(.poll)
            if let more = ends.far.read() { arrived += more }
        }
        found += bench.packetsNow()
        #expect(found.map(\.completion) == [Completion(count: expected.count)])
        #expect(arrived == expected)
        bench.end()
    }

    @Test("As many ranges as the contract allows go out; one more is refused")
    func most() throws {
        let bench = try PortBench()
        let ends = Carrier.unixStream.open()
        let near = try bench.associate(ends.near)
        let write = Lent(Array(0..<32))
        let segments = (0..<segmentsMax).map { $0..<($0 + 1) }
        bench.start(write, on: near) { $0.write($1, segments: segments, at: nil) }
        #expect(bench.packet(of: write) == Completion(count: segmentsMax))
        #expect(bench.start(write, on: near) { $0.write($1, segments: segments + [0..<1], at: nil) } == .refused(.number(EINVAL)))
        #expect(bench.start(write, on: near) { $0.write($1, segments: [30..<33], at: nil) } == .refused(.number(EINVAL)))
        #expect(bench.start(write, on: near, inline: .allowed) { $0.write($1, segments: [], at: nil) } == .completed(Completion(count: 0)))
        bench.end()
    }
}
