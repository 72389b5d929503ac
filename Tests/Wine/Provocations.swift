internal import LoopCore

/// What the harness must notice, done on purpose. `scripts/test-wine` asks for each by name and looks for the sentence.
enum Provocations {
    static func run(_ name: String) -> Int32 {
        Report.run([Suite(name, [Case("a case that passes") { _ in }, named(name)])], leavingOut: name == "missing" ? 1 : 0)
    }

    private static func named(_ name: String) -> Case {
        switch name {
        case "crash": Case("a case that writes to nowhere") { _ in writeToNowhere() }
        case "trap": Case("a case that traps") { _ in trap("A sentence before the end.") }
        case "hang": Case("a case that does not end") { _ in waitForEver() }
        case "unsupported": Case("a case that makes a call no host has") { _ in Host.callMissingFunction() }
        default: Case("a case that fails on purpose") { $0.fail("as it was asked to") }
        }
    }

    // SAFETY: none: it is meant to crash.
    private static func writeToNowhere() {
        let nowhere = unsafe UnsafeMutablePointer<Int>(bitPattern: Host.arguments.count * 8)
        unsafe nowhere?.pointee = 1
    }

    private static func waitForEver() {
        while !Host.arguments.isEmpty {}
    }
}
