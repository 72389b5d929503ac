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
        let report = Campaign.noted(seeds: seeds, stepsPerSeed: steps)
        expectClean(report)
        // Programs that do nothing would be clean too.
        #expect(report.operations > report.steps / 20)
        #expect(report.packets > report.steps / 50)
        #expect(report.orphans > 0)
        #expect(report.leaked > 0)
    }

    @Test("They keep it on a kernel that does nothing wrong") func noFaults() {
        expectClean(Campaign.noted(seeds: 0..<40, stepsPerSeed: steps, faults: SimulatedFaults.none))
    }

    @Test("They keep it on a kernel that refuses every cancel, or loses most operations") func worstKernels() {
        var deaf = SimulatedFaults.none
        deaf.refusesCancels = .always
        expectClean(Campaign.noted(seeds: 0..<40, stepsPerSeed: steps, faults: deaf))
        var lossy = SimulatedFaults.none
        lossy.getsStuck = Chance(perThousand: 700)
        expectClean(Campaign.noted(seeds: 0..<40, stepsPerSeed: steps, faults: lossy))
    }

    @Test("The same seeds give the same report") func deterministic() {
        #expect(Campaign.noted(seeds: 5..<15, stepsPerSeed: 300) == Campaign.noted(seeds: 5..<15, stepsPerSeed: 300))
    }

    @Test("A failure is shrunk, fails again from its seed, and says why") func shrunk() throws {
        let failure = try #require(Campaign.noted(seeds: 0..<50, stepsPerSeed: 400, bug: .losesWakes).failure)
        #expect(failure.steps.count < 10)
        #expect(failure.steps.count < failure.prefixLength)
        #expect(Campaign.replay(failure) == failure.sentence)
        #expect(failure.description.hasPrefix("seed \(failure.seed), "))
    }

    @Test("A crash names the seed and the step it is in") func crash() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Campaign.noted(seeds: 6..<9, stepsPerSeed: 50, of: "a test") { seed, step in
                if seed == 7, step == 31 { trap("a bug of the ledger") }
            }
        }
        let said = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(said.contains("a bug of the ledger"))
        #expect(said.contains("The crash is in the campaign of a test, seed 7, step 31."), "it said: \(said)")
    }

    @Test("A program is said to begin, to take each step, and to end") func places() {
        var places: [Int] = []
        expectClean(Campaign.run(seeds: 3..<4, stepsPerSeed: 5) { places.append($0 == 3 ? $1 : -1) })
        #expect(places == [0, 1, 2, 3, 4, 5, 6])
    }

    private func expectClean(_ report: CampaignReport, location: SourceLocation = #_sourceLocation) {
        guard let failure = report.failure else { return }
        Issue.record("\(failure)\n\(failure.faults)\n\(failure.steps.map { "\($0)" }.joined(separator: "\n"))", sourceLocation: location)
    }
}
