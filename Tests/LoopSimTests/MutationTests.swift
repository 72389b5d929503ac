import LoopSim
import Testing

/// Tests of the tests: a port with each bug there is must be found out, and the same programs must pass without it.
@Suite("Mutations") struct MutationTests {
    @Test("A campaign finds every bug a port can have", arguments: KernelBug.allCases) func found(bug: KernelBug) {
        let report = Campaign.noted(seeds: 0..<50, stepsPerSeed: 400, bug: bug)
        #expect(report.failure != nil, "not found in \(report.steps) steps")
    }

    @Test("Operations that follow a number to the next object are found at once: one program in five meets them") func recycledNumbers() {
        #expect(Campaign.noted(seeds: 0..<20, stepsPerSeed: 400, bug: .followsNumbers).failure != nil)
    }

    @Test("The same programs pass on a port without bugs") func unmutated() {
        #expect(Campaign.noted(seeds: 0..<50, stepsPerSeed: 400).failure == nil)
    }
}
