import LoopSim
import Testing

/// The contract suite on the simulated port: the same cases that the real ports run.
@Suite("The contract in simulation") struct ContractOnSimulationTests {
    @Test("Simulated streams keep it", arguments: ContractSuite.cases) func streams(test: ContractCase) {
        keep(test, SimulatedFixture(seed: 1))
    }

    @Test("Simulated streams under the checked port keep it", arguments: ContractSuite.cases) func checked(test: ContractCase) {
        keep(test, SimulatedFixture(seed: 2, checked: true))
    }

    @Test("Every clause has a case, or is named among those that wait for tasks") func everyClauseHasACase() {
        for number in 1...15 {
            #expect(ContractSuite.cases.contains { $0.clause == "C\(number)" }, "C\(number)")
        }
        #expect(Set(ContractSuite.cases.map(\.name)).count == ContractSuite.cases.count, "each case has a name of its own")
        #expect(!ContractSuite.casesWaitingForTasks.isEmpty)
    }

    private func keep(_ test: ContractCase, _ fixture: SimulatedFixture) {
        switch ContractRun.run(test, on: fixture) {
        case .passed: break
        case .notApplicable(let what): Issue.record("\(test.name) was skipped: \(what)")
        case .failed(let sentences):
            for sentence in sentences { Issue.record("\(test.name): \(sentence)") }
        }
    }
}
