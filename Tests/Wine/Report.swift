/// Runs suites and says what came of them.
struct Report {
    private var passed = 0
    private var failed = 0
    private var skipped = 0
    private let names: PassedNames

    private init(_ names: PassedNames) { self.names = names }

    /// Runs each case of each suite. The result is the program's status: 0 if no case failed and none is missing.
    static func run(_ suites: [Suite], names: PassedNames = .unsaid, leavingOut: Int = 0) -> Int32 {
        var report = Report(names)
        for suite in suites { report.run(suite, leavingOut: leavingOut) }
        let (expected, run) = (suites.reduce(0) { $0 + $1.cases.count }, report.passed + report.failed + report.skipped)
        if run != expected {
            print("The table has \(expected) cases and \(run) was run.")
            report.failed += 1
        }
        print("\(report.passed) passed, \(report.failed) failed, \(report.skipped) skipped")
        return report.failed == 0 && report.passed > 0 ? 0 : 1
    }

    /// Only the names.
    static func list(_ suites: [Suite]) -> Int32 {
        for suite in suites {
            print("\(suite.name): \(suite.cases.count) cases")
            for test in suite.cases { print("    \(test.name)") }
        }
        return 0
    }

    private mutating func run(_ suite: Suite, leavingOut: Int) {
        let before = self
        for test in suite.cases.dropLast(leavingOut) { run(test, of: suite) }
        let words = ["\(passed - before.passed) passed", "\(failed - before.failed) failed", "\(skipped - before.skipped) skipped"]
        print("\(suite.name): \(words[0]), \(words[1])\(skipped > before.skipped ? ", " + words[2] : "")")
        Host.flush()
    }

    private mutating func run(_ test: Case, of suite: Suite) {
        let name = "\(suite.name): \(test.name)"
        Host.beginCase(name)
        let check = Check()
        do throws(Unmet) { try test.body(check) } catch {
            switch error {
            case .failed(let sentence): check.fail(sentence)
            case .notApplicable(let reason): return skip(name, reason)
            }
        }
        guard !check.failures.isEmpty else {
            passed += 1
            if names == .said { print("passed: \(name)") }
            return
        }
        failed += 1
        print("FAILED: \(name)")
        for sentence in check.failures { print("    \(sentence)") }
    }

    private mutating func skip(_ name: String, _ reason: String) {
        skipped += 1
        print("not applicable: \(name) (\(reason))")
    }
}

/// Whether a case that passes is named: who compares runs has to know.
enum PassedNames {
    case said
    case unsaid
}
