import CTestSupport
import Glibc
import LoopCore
import LoopSim
import Testing

// A week passes in an instant: the clock is the simulated port's, and nearly all of it is sleep.
@Suite("A week of fibers") struct WeekTests {
    // SAFETY: nobody changes the environment.
    private static let isLong = unsafe getenv("PORTLOOP_LONG") != nil
    private static let seeds: [UInt64] = Array(1...(isLong ? 400 : 4))

    @Test("Whatever fibers do, and whoever is cancelled: every wait ends as it may, and nothing is left at the end", arguments: seeds)
    func drawnFaults(seed: UInt64) {
        let report = live(seed: seed)
        #expect(report.failure == nil)
        #expect(report.elapsed >= Week.nanoseconds)
        // A week in which nobody does anything would be clean, too.
        #expect(report.fibers > 300)
        #expect(report.tally.steps.allSatisfy { $0 > 10 })
        #expect(report.tally.cancelled > 50 && report.tally.timedOut > 50 && report.tally.finished > 50 && report.tally.scopesCut > 10)
    }

    @Test("The same seed is the same week") func deterministic() {
        let (first, second) = (live(seed: 77), live(seed: 77))
        #expect(first.failure == nil)
        #expect(first == second)
    }

    @Test("A port that breaks a promise which fibers rely on is found out by them", arguments: WeekTests.bugs) func lies(bug: KernelBug) {
        #expect((1...3).contains { live(seed: $0, faults: WeekTests.noise, bug: bug).failure != nil })
    }

    @Test("The same port without a bug is not") func noLies() { #expect(live(seed: 1, faults: WeekTests.noise).failure == nil) }

    /// A kernel that loses nothing, and takes its time.
    private static var noise: SimulatedFaults {
        var noise = SimulatedFaults.none
        noise.abortsWithBytes = Chance(perThousand: 500)
        noise.startsLate = Chance(perThousand: 300)
        noise.slowCancels = Chance(perThousand: 300)
        return noise
    }

    /// Those that a fiber can notice: no thread wakes the loop here, and no fiber looks at memory that it has given back.
    private static let bugs: [KernelBug] = [
        .dropsCancelledPacket, .ignoresCancels, .dropsPacket, .doublesPacket, .repeatsPacketLater, .forgetsAbortedCount,
    ]

    @Test("What a fiber does wrong, or a model does not hear of, is found out", arguments: WeekSlip.allCases) func slips(slip: WeekSlip) {
        #expect((1...3).contains { live(seed: $0, slip: slip).failure != nil })
    }

    private func live(
        seed: UInt64, faults: SimulatedFaults? = nil, bug: KernelBug? = nil, slip: WeekSlip? = nil, of test: StaticString = #function
    ) -> WeekReport {
        defer { portloop_test_campaign_is_at(nil, 0, 0) }
        // SAFETY: the text of a literal ends with a zero, and stays.
        return Week.live(seed: seed, faults: faults, bug: bug, slip: slip) { second in
            unsafe portloop_test_campaign_is_at(test.utf8Start, seed, second)
        }
    }
}
