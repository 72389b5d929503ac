import LoopEpoll
public import LoopSim
public import Testing

/// The contract suite on the emulated port, once for each kind of descriptor.
@Suite("The contract on epoll") struct ContractTests {
    @Test("Unix sockets keep it", arguments: ContractSuite.cases) func unixSockets(test: ContractCase) {
        keep(test, .unixSockets)
    }

    @Test("TCP sockets keep it", arguments: ContractSuite.cases) func tcpSockets(test: ContractCase) {
        keep(test, .tcpSockets)
    }

    @Test("Pipes keep it", arguments: ContractSuite.cases) func pipes(test: ContractCase) {
        keep(test, .pipes)
    }

    @Test("Terminals keep it", arguments: ContractSuite.cases) func terminals(test: ContractCase) {
        keep(test, .terminals)
    }

    @Test("A sound port under the checked port keeps it, and breaks no clause", arguments: ContractSuite.cases)
    func checked(test: ContractCase) {
        keep(test, .unixSockets, checked: true)
    }

    private func keep(_ test: ContractCase, _ kind: DescriptorFixture.Kind, checked: Bool = false) {
        let fixture = DescriptorFixture(kind)
        switch onThreadOfItsOwn({ ContractRun.run(test, on: DescriptorFixture(kind, checked: checked)) }) {
        case .passed: break
        case .notApplicable(let what):
            // Listed by name, so that a case which stops being run shows; scripts/contract-counts reads it.
            print("not applicable: \(test.name), on \(fixture.name) (\(what))")
            #expect(fixture.lacks.contains(what), "\(test.name) was skipped on \(fixture.name): \(what)")
        case .failed(let sentences):
            for sentence in sentences { Issue.record("\(test.name), on \(fixture.name): \(sentence)") }
        }
    }
}

extension ContractCase: CustomTestStringConvertible {
    public var testDescription: String { name }
}
