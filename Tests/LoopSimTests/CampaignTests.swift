import LoopCore
import LoopSim
import Testing

#if DEBUG
/// A sample, where the compiler does not optimise.
private let (seeds, steps): (Range<UInt64>, Int) = (0..<60, 400)
#else
/// A million steps: `swift test -c release --filter Campaigns`.
private let (seeds, steps): (Range<UInt64>, Int) = (0..<1000, 1000)
#endif

@Suite("Campaigns") struct CampaignTests {
    @Test("Random programs keep every promise, whatever the kernel does") func drawnFaults() {
        let report = Campaign.run(seeds: seeds, stepsPerSeed: steps)
        expectClean(report)
        // Programs that do nothing would be clean too.
        #expect(report.operations > report.steps / 20)
        #expect(report.packets > report.steps / 50)
        #expect(report.orphans > 0)
        #expect(report.leaked > 0)
    }

    @Test("They keep it on a kernel that does nothing wrong") func noFaults() {
        expectClean(Campaign.run(seeds: 0..<40, stepsPerSeed: steps, faults: SimulatedFaults.none))
    }

    @Test("They keep it on a kernel that refuses every cancel, or loses most operations") func worstKernels() {
        var deaf = SimulatedFaults.none
        deaf.refusesCancels = .always
        expectClean(Campaign.run(seeds: 0..<40, stepsPerSeed: steps, faults: deaf))
        var lossy = SimulatedFaults.none
        lossy.getsStuck = Chance(perThousand: 700)
        expectClean(Campaign.run(seeds: 0..<40, stepsPerSeed: steps, faults: lossy))
    }

    @Test("The same seeds give the same report") func deterministic() {
        #expect(Campaign.run(seeds: 5..<15, stepsPerSeed: 300) == Campaign.run(seeds: 5..<15, stepsPerSeed: 300))
    }

    @Test("A failure is shrunk, fails again from its seed, and says why") func shrunk() throws {
        let failure = try #require(Campaign.run(seeds: 0..<50, stepsPerSeed: 400, bug: .losesWakes).failure)
        #expect(failure.steps.count < 10)
        #expect(failure.steps.count < failure.prefixLength)
        #expect(Campaign.replay(failure) == failure.sentence)
        #expect(failure.description.hasPrefix("seed \(failure.seed), "))
    }

    private func expectClean(_ report: CampaignReport, location: SourceLocation = #_sourceLocation) {
        guard let failure = report.failure else { return }
        Issue.record("\(failure)\n\(failure.faults)\n\(failure.steps.map { "\($0)" }.joined(separator: "\n"))", sourceLocation: location)
    }
}
