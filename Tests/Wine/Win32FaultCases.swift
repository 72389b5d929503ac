internal import LoopCore
internal import LoopSim
internal import LoopWin32

/// Tests of the tests: six ways to get a completion port wrong, and for each the cases that notice.
enum Win32FaultCases {
    static var suite: Suite {
        Suite(
            "the Windows port, broken on purpose",
            [
                caught(
                    "skips the packet of immediate success", .skipsPacketsOnSuccess,
                    "C1 a read that can finish at once gives exactly one packet"),
                caught("takes ERROR_MORE_DATA for a failure without a packet", .refusesWarnings, Win32PacketCases.longMessage),
                caught("takes WSAEMSGSIZE for a failure without a packet", .refusesWarnings, Win32PacketCases.longDatagram),
                caught(
                    "gives an operation back when it is cancelled", .freesOnCancel,
                    "C3 a cancel frees nothing: the operation stays submitted until its packet"),
                caught("gives an operation back when it is cancelled", .freesOnCancel, Win32RaceCases.shortReadRace),
                caught(
                    "believes what CancelIoEx says", .trustsCancel,
                    "C3 every race of two operations that begins with complete ends each once and loses no byte"),
                caught("believes what CancelIoEx says", .trustsCancel, Win32RaceCases.shortReadRace),
                caught(
                    "drops the count of an aborted operation", .dropsAbortedCounts, "C4 a write that is cut short says how much went out"),
                caught("drops the count of an aborted operation", .dropsAbortedCounts, Win32PacketCases.abortedWrite),
                caught("forgets to wake a second time", .forgetsWakes, Win32WaitCases.realWake),
            ])
    }

    /// A case of the contract, on sockets.
    private static func caught(_ fault: String, _ faults: Win32Faults, _ name: String) -> Case {
        Case("a port that \(fault) is caught by \"\(name)\"") { check throws(Unmet) in
            let test = try check.must("the case", ContractSuite.cases.first { $0.name == name })
            switch ContractRun.run(test, on: Win32Fixture(.sockets, faults: faults)) {
            case .failed: break
            case .passed: check.fail("the case passed")
            case .notApplicable(let what): check.fail("the case was skipped: \(what)")
            }
        }
    }

    /// A case of Windows' own.
    private static func caught(_ fault: String, _ faults: Win32Faults, _ test: Win32Case) -> Case {
        Case("a port that \(fault) is caught by \"\(test.name)\"") { check throws(Unmet) in
            let inner = Check()
            do throws(Unmet) { try test.run(inner, faults: faults) } catch {
                if case .failed(let sentence) = error { inner.fail(sentence) }
            }
            check.expect(!inner.failures.isEmpty, "the case passed")
        }
    }
}
