internal import LoopCore

/// What a loop and its port said to each other, as text: one line for each call, the question and the answer.
///
/// ```
/// associate 3 0.1 -> ok
/// read #1 3 0.1 64 - -> owes
/// wait forever 256 -> #1 5 0 0 0 -1 68656c6c6f
/// ```
///
/// A program that is given the same answers asks the same questions. So a trace that was recorded where something went wrong
/// (``TraceRecorder``) plays again anywhere (``ReplayPort``), as often as it takes to understand it.
public struct Trace: Hashable, Sendable {
    /// The lines, in order.
    public private(set) var lines: [TraceLine] = []

    /// An empty trace.
    public init() {}

    /// Reads a trace from its text.
    public init(text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard let arrow = words.firstIndex(of: "->") else { trap("A line of a trace has no answer: \(line)") }
            lines.append(
                TraceLine(
                    question: words[..<arrow].joined(separator: " "), answer: words[(arrow + 1)...].joined(separator: " ")))
        }
    }

    /// The trace as text, which ``init(text:)`` reads.
    public var text: String {
        var text = ""
        for line in lines { text += "\(line.question) -> \(line.answer)\n" }
        return text
    }

    mutating func append(_ question: String, _ answer: String) { lines.append(TraceLine(question: question, answer: answer)) }
}

/// One call and what was answered.
public struct TraceLine: Hashable, Sendable {
    /// The call, with everything that a repetition must have in common with it.
    public let question: String
    /// What it returned.
    public let answer: String
}
