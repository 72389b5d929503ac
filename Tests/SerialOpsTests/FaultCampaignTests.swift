import LoopCore
import LoopSim
import Testing

@testable import SerialOps

/// Ports under drivers that do several things wrong at once, as a seed draws them. A failure names its seed, and the seed brings it back.
@Suite("Seeded faults") struct FaultCampaignTests {
    private static let seeds: ClosedRange<UInt64> = 1...(environment("PORTLOOP_LONG") == nil ? 300 : 10_000)

    @Test("Where the driver loses nothing nothing is lost, whatever else it does, and every call ends in time") func lossless() throws {
        for seed in Self.seeds {
            var faults = SimulatedFaults.drawn(from: seed)
            faults.getsStuck = .never
            faults.failsLate = .never
            faults.refusesOperations = .never
            faults.refusesAssociations = .never
            faults.abortsWithBytes = .never
            let found = try Self.play(seed, faults)
            try #require(found.received == found.sent, "seed \(seed)")
            try #require(found.isInOrder, "seed \(seed)")
            try #require(found.late.isEmpty, "seed \(seed): \(found.late)")
        }
    }

    @Test("Whatever the driver does every call ends in time, and what was received is a prefix of what was sent") func bounded() throws {
        var endings: [SerialError?: Int] = [:]
        for seed in Self.seeds {
            var faults = SimulatedFaults.drawn(from: seed)
            faults.refusesAssociations = .never
            let found = try Self.play(seed, faults)
            try #require(found.late.isEmpty, "seed \(seed): \(found.late)")
            try #require(found.isInOrder || found.possiblyLost > 0 || found.ending != .closed, "seed \(seed)")
            endings[found.ending, default: 0] += 1
        }
        // The campaign reaches ports that go on to the end, and ports that end early.
        #expect(endings[.closed, default: 0] > 0)
        #expect(endings.count > 1)
    }

    struct Found: Sendable {
        var sent = 0
        var received = 0
        var isInOrder = true
        var late: [String] = []
        var possiblyLost: UInt64 = 0
        var ending: SerialError?
    }

    private static func play(_ seed: UInt64, _ faults: SimulatedFaults) throws -> Found {
        let simulation = Simulation(seed: seed, faults: faults)
        let score = Score()
        try simulation.run { loop in
            let (near, far) = simulation.port.makeStreamPair()
            let device = SimulatedDevice(simulation.port, near)
            let port: SerialPort
            do throws(SerialError) {
                port = try await SerialPort.open(device, "sim", SerialSettings(), on: loop)
            } catch {
                return score.change { $0.ending = error }
            }
            feed(simulation.port, far, seed)
            score.change { $0.sent = Self.total }
            await work(simulation, port, score, seed)
            let (_, took) = await simulation.timed { () async throws(SerialError) in await port.close() }
            if took > bound { score.change { $0.late.append("close: \(took)") } }
            let (ending, statistics) = (await port.ending, await port.statistics)
            score.change {
                $0.ending = ending
                $0.possiblyLost = statistics.possiblyLost
            }
            simulation.port.releaseStuck()
        }
        return score.found
    }

    private static let total = 3_000
    /// What a call may take beyond its own time.
    private static let bound = Duration.nanoseconds(Limits().cancelGraceNanoseconds) + .milliseconds(50)

    /// The far end sends everything in pieces, over a quarter of a second.
    private static func feed(_ port: SimulatedPort, _ far: NativeHandle, _ seed: UInt64) {
        var random = SplitMix(seed)
        var sent = 0
        while sent < total {
            let piece = min(total - sent, 1 + Int(random.next() % 200))
            let bytes = (sent..<sent + piece).map { UInt8(truncatingIfNeeded: $0 * 7) }
            sent += piece
            port.after(UInt64(sent) * 80_000 + random.next() % 50_000) { _ = port.feed(far, bytes) }
        }
    }

    /// Reads in all ways until everything is there, the port has ended, or nothing comes any more; writes beside it.
    private static func work(
        _ simulation: Simulation, _ port: SerialPort, _ score: Score, _ seed: UInt64, isolation: isolated (any Actor)? = #isolation
    ) async {
        var random = SplitMix(seed &+ 1)
        let writer = port.loop.spawn(name: "writer") { _ async in
            for _ in 0..<20 {
                let (_, took) = await simulation.timed { () async throws(SerialError) in
                    try await port.write([UInt8](repeating: 1, count: 100), timeout: .milliseconds(20))
                }
                if took > .milliseconds(20) + bound { score.change { $0.late.append("write: \(took)") } }
            }
        }
        var silence = 0
        while score.found.received < total, silence < 60 {
            let timeout = Duration.milliseconds(Int64(random.next() % 20))
            let count = 1 + Int(random.next() % 300)
            let kind = random.next() % 3
            let (read, took) = await simulation.timed { () async throws(SerialError) -> [UInt8] in
                switch kind {
                case 0: try await port.read(max: count, timeout: timeout)
                case 1: try await port.readExactly(min(count, total - score.found.received), timeout: timeout)
                default: try await port.readUntil([UInt8(truncatingIfNeeded: count)], limit: 5_000, timeout: timeout)
                }
            }
            if took > timeout + bound { score.change { $0.late.append("read: \(took)") } }
            switch read {
            case .success(let bytes):
                silence = 0
                score.check(bytes)
            case .failure(.timedOut): silence += 1
            case .failure: silence = 60
            }
        }
        await writer.value
    }
}

/// What a play has come to, kept by the fibers of one loop.
private final class Score: Sendable {
    private nonisolated(unsafe) var value = FaultCampaignTests.Found()

    // SAFETY: a simulated loop has one thread.
    var found: FaultCampaignTests.Found { unsafe value }

    // SAFETY: as above.
    func change(_ body: (inout FaultCampaignTests.Found) -> Void) { unsafe body(&value) }

    func check(_ bytes: [UInt8]) {
        change { found in
            for byte in bytes {
                if byte != UInt8(truncatingIfNeeded: found.received * 7) { found.isInOrder = false }
                found.received += 1
            }
        }
    }
}
