internal import LoopSim

/// Everything that is run. A suite that is not in the table does not exist.
enum Suites {
    static var all: [Suite] {
        [
            LayoutCases.suite,
            PortCases.suite, ThreadCases.suite, ClockCases.suite, StatusCases.suite, HandleCases.suite,
            FileCases.suite, PipeCases.suite, DirectoryCases.suite, SocketCases.suite, ReadinessCases.suite,
            SystemCases.suite, CommCases.suite,
            contract { SimulatedFixture(seed: 1) },
            contract(", checked") { SimulatedFixture(seed: 2, checked: true) },
        ] + win32 + image
    }

    /// The contract suite on one kind of handle. A case is skipped for a reason in `lacks` only.
    static func contract(_ suffix: String = "", lacks: [String] = [], _ make: @escaping @Sendable () -> any ContractFixture) -> Suite {
        Suite("the contract on \(make().name)\(suffix)", ContractSuite.cases.map { keep($0, lacks: lacks, make) })
    }

    private static func keep(_ test: ContractCase, lacks: [String], _ make: @escaping @Sendable () -> any ContractFixture) -> Case {
        Case(test.name) { check throws(Unmet) in
            switch ContractRun.run(test, on: make()) {
            case .passed: break
            case .failed(let sentences): for sentence in sentences { check.fail(sentence) }
            case .notApplicable(let what):
                try check.require(lacks.contains(what), "was skipped: \(what)")
                throw .notApplicable(what)
            }
        }
    }
}
