import LoopSim
import Testing

@Suite("Campaigns") struct CampaignTests {
    @Test("Random programs keep every promise, whatever the kernel does") func drawnFaults() {
        let report = Campaign.run(seeds: 0..<1000, stepsPerSeed: 1000)
        #expect(report.failure == nil)
        if let failure = report.failure { for step in failure.steps { print("   ", step) } }
        print(report)
    }
}
