import CTestSupport
import LoopSim

extension Campaign {
    /// Runs the campaign of a test. A crash says on standard error which seed and step it is in; a run without one says nothing.
    static func noted(
        seeds: Range<UInt64>, stepsPerSeed: Int, faults: SimulatedFaults? = nil, bug: KernelBug? = nil, of test: StaticString = #function,
        also: (UInt64, Int) -> Void = { _, _ in }
    ) -> CampaignReport {
        defer { portloop_test_campaign_is_at(nil, 0, 0) }
        return run(seeds: seeds, stepsPerSeed: stepsPerSeed, faults: faults, bug: bug) { seed, step in
            // SAFETY: the text of a literal ends with a zero, and stays.
            unsafe portloop_test_campaign_is_at(test.utf8Start, seed, UInt64(step))
            also(seed, step)
        }
    }
}
