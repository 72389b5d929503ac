/// Cases that belong together, in the table of `Suites.swift`.
struct Suite: Sendable {
    let name: String
    let cases: [Case]

    init(_ name: String, _ cases: [Case]) {
        self.name = name
        self.cases = cases
    }
}

/// One sentence and the function that shows it.
struct Case: Sendable {
    let name: String
    let body: @Sendable (Check) throws(Unmet) -> Void

    init(_ name: String, _ body: @escaping @Sendable (Check) throws(Unmet) -> Void) {
        self.name = name
        self.body = body
    }
}

/// Ends a case early.
enum Unmet: Error {
    /// What the rest of the case relies on did not hold.
    case failed(String)
    /// The system lacks what the case is about. Reported by name, with the reason.
    case notApplicable(String)
}

/// What a case has found so far.
final class Check {
    private(set) var failures: [String] = []

    func fail(_ sentence: String) { failures.append(sentence) }

    func expect(_ holds: Bool, _ sentence: String) {
        if !holds { fail(sentence) }
    }

    func expectEqual<Value: BinaryInteger>(_ found: Value, _ expected: Value, _ what: String) {
        if found != expected { fail("\(what): expected \(Int(truncatingIfNeeded: expected)), found \(Int(truncatingIfNeeded: found))") }
    }

    /// The rest of the case relies on it.
    func require(_ holds: Bool, _ sentence: String) throws(Unmet) {
        if !holds { throw .failed(sentence) }
    }

    /// A call of the shim that the rest of the case relies on.
    func must(_ what: String, _ code: UInt32) throws(Unmet) {
        if code != 0 { throw .failed("\(what): error \(code)") }
    }
}

extension Check {
    /// A value that has to be there.
    func must<Value>(_ what: String, _ value: Value?) throws(Unmet) -> Value {
        guard let value else { throw .failed("\(what) is not there") }
        return value
    }
}
