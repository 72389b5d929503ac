import Testing

// What Swift 6.3.1 compiles without a word and then runs wrongly. Each was seen to happen.

/// Functions that run their closure on the generic executor unless the closure captures its isolation.
private struct ConfinedCall {
    let names: [String]
    /// The one file that may call them; nil while none does.
    let file: String?
}

private let confinedCalls = [
    ConfinedCall(names: ["withTaskCancellationHandler"], file: "Sources/LoopCore/Loop/Awaiting.swift"),
    ConfinedCall(
        names: ["withTaskGroup", "withThrowingTaskGroup", "withDiscardingTaskGroup", "withThrowingDiscardingTaskGroup"], file: nil),
]

private let oneFileEach = Rule(.sources) { file in
    confinedCalls.filter { $0.file != file.path }.flatMap(\.names).flatMap { name in
        file.lines(mentioning: name).map {
            Offence(path: file.path, line: $0.number, complaint: "\(name) runs its closure off the loop: only in the file that knows how")
        }
    }
}

private let capturesIsolation = Rule(.sources) { file in
    confinedCalls.flatMap(\.names).flatMap { name in
        file.lines(mentioning: name).filter { call in
            !file.lines[(call.number - 1)...].prefix(4).contains { $0.code.mentions("_ = isolation") }
        }.map { Offence(path: file.path, line: $0.number, complaint: "\(name): no `_ = isolation` within three lines") }
    }
}

private let lentSpans = Rule(.sources) { file in
    guard file.code.contains("async"), file.code.contains("Span") else { return [] }
    return parametersOfAsyncFunctions(in: file.code).filter { parameters in
        ["MutableSpan", "MutableRawSpan", "OutputSpan", "OutputRawSpan"].contains { parameters.text.mentions($0) }
    }.map {
        Offence(path: file.path, line: $0.line, complaint: "an async function is lent a span: use after free when its owner re-enters")
    }
}

/// The parameter lists that `async` follows, of functions and of function types, without what nested parentheses hold.
private func parametersOfAsyncFunctions(in code: String) -> [(text: String, line: Int)] {
    let bytes = Array(code.utf8)
    return code.ranges(of: "async").compactMap { found in
        let offset = code.utf8.distance(from: code.startIndex, to: found.lowerBound)
        guard let close = bytes[..<offset].lastIndex(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\n") }),
            bytes[close] == UInt8(ascii: ")")
        else { return nil }
        let line = bytes[..<offset].count { $0 == UInt8(ascii: "\n") } + 1
        return (outermostParentheses(endingAt: close, in: bytes), line)
    }
}

private func outermostParentheses(endingAt close: Int, in bytes: [UInt8]) -> String {
    var depth = 0
    var inside: [UInt8] = []
    for byte in bytes[...close].reversed() {
        if byte == UInt8(ascii: "(") { depth -= 1 }
        if byte == UInt8(ascii: "("), depth == 0 { break }
        if depth == 1 { inside.append(byte) }
        if byte == UInt8(ascii: ")") { depth += 1 }
    }
    return String(decoding: inside.reversed(), as: UTF8.self)
}

@Suite("Silent traps of the compiler") struct SilentTrapTests {
    @Test("Cancellation handlers and task groups are called from one file each") func confined() {
        oneFileEach.holds()
    }

    @Test("A cancellation handler or a task group elsewhere is found") func confinedSample() {
        let sample = "await withTaskCancellationHandler {}\nawait withTaskGroup { _ in }\nawait withThrowingTaskGroup {}\n"
        #expect(oneFileEach.caught("Sources/LoopCore/Sample.swift", sample) == [1, 2, 3])
        #expect(oneFileEach.caught("Sources/LoopCore/Loop/Awaiting.swift", sample) == [2, 3])
        #expect(oneFileEach.caught("Tests/Sample.swift", sample).isEmpty)
    }

    @Test("The closure of a cancellation handler or a task group captures its isolation") func captures() {
        capturesIsolation.holds()
    }

    @Test("A closure that does not capture its isolation is found") func capturesSample() {
        let sample = "withTaskCancellationHandler {\n    _ = isolation\n}\n\n\nwithTaskCancellationHandler {\n    // _ = isolation\n}\n"
        #expect(capturesIsolation.caught("Sources/LoopCore/Loop/Awaiting.swift", sample) == [6])
    }

    @Test("No async function takes a mutable span") func spans() {
        lentSpans.holds()
    }

    @Test("An async function that takes a mutable span is found, a synchronous closure that does is not") func spansSample() {
        let sample = """
            func a(into span: inout MutableSpan<UInt8>) async -> Int { 0 }
            func b(into span: inout MutableRawSpan) -> Int { 0 }
            func c(_ body: (inout MutableRawSpan) -> Int) async -> Int { 0 }
            func d(
                into span: consuming OutputSpan<UInt8>, count: (Int, Int)
            ) async throws -> Int { 0 }
            let e: (inout MutableRawSpan) async -> Void
            func f(into buffer: inout IOBuffer, g: ()) async {}
            """
        #expect(lentSpans.caught("Sources/Sample.swift", sample) == [1, 6, 7])
    }
}
