import Testing

/// Conformances that the compiler takes our word for. Each needs a reason that a reviewer can check.
private let uncheckedAllowed: [(file: String, reason: String)] = []

private let unchecked = Rule(.swift) { file in
    guard !uncheckedAllowed.contains(where: { $0.file == file.path }) else { return [] }
    return file.lines(mentioning: "@unchecked").map {
        Offence(path: file.path, line: $0.number, complaint: "@unchecked Sendable is not on the allow-list")
    }
}

private let preconcurrency = Rule.forbids("@preconcurrency", in: .swift, because: "it silences the checks that confine the loop")
private let unsafeFlags = Rule.forbids(".unsafeFlags", in: .swift.except("Benchmarks/Package.swift"), because: "no one can depend on it")
private let inheritedContext = Rule.forbids("@_inheritActorContext", in: .swift, because: "a closure may run off its actor in silence")

/// `trap(_:)` prints its sentence in release builds too; these do not.
private let bareTraps = Rule(.sources.except("/Trap.swift")) { file in
    ["fatalError(", "precondition(", "preconditionFailure("].flatMap { word in
        file.lines(mentioning: word).map { Offence(path: file.path, line: $0.number, complaint: "\(word): use trap(_:)") }
    }
}

/// A postfix `!`, `try!` and `as!` included, with no comment on the line above.
private let forced = Rule(.shipped) { file in
    file.lines.filter { hasPostfixBang($0.code) && !hasReason(above: $0, in: file) }.map {
        Offence(path: file.path, line: $0.number, complaint: "a `!` needs its reason in a comment on the line above")
    }
}

private func hasPostfixBang(_ code: String) -> Bool {
    guard code.contains("!") else { return false }
    let characters = Array(code)
    return characters.indices.dropFirst().contains { index in
        let before = characters[index - 1]
        let after = index + 1 < characters.count ? characters[index + 1] : " "
        return characters[index] == "!" && (before.isWord || ")]}".contains(before)) && after != "="
    }
}

private func hasReason(above line: Line, in file: SourceFile) -> Bool {
    guard line.number > 1 else { return false }
    return file.lines[line.number - 2].isOnlyComment
}

@Suite("Escape hatches") struct EscapeHatchTests {
    @Test("No type is @unchecked Sendable off the allow-list") func uncheckedSendable() {
        unchecked.holds()
        for (file, reason) in uncheckedAllowed {
            let uses = SourceTree.repository.file(file)?.lines(mentioning: "@unchecked") ?? []
            #expect(!uses.isEmpty, "\(file) no longer needs its entry")
            #expect(!reason.isEmpty)
        }
    }

    @Test("An @unchecked Sendable is found") func uncheckedSample() {
        #expect(unchecked.caught("Tests/Sample.swift", "final class A {}\nextension A: @unchecked Sendable {}\n") == [2])
    }

    @Test("Nobody says @preconcurrency") func preconcurrencyImports() {
        preconcurrency.holds()
    }

    @Test("An @preconcurrency is found") func preconcurrencySample() {
        #expect(preconcurrency.caught("Sources/Sample.swift", "@preconcurrency import Glibc\n") == [1])
    }

    @Test("No manifest has unsafeFlags") func flags() {
        unsafeFlags.holds()
    }

    @Test("An unsafeFlags is found") func flagsSample() {
        #expect(unsafeFlags.caught("Package.swift", "// unsafeFlags\nlet a = [.unsafeFlags([])]\n") == [2])
    }

    @Test("No closure inherits an actor's context by the attribute") func actorContext() {
        inheritedContext.holds()
    }

    @Test("An @_inheritActorContext is found") func actorContextSample() {
        #expect(inheritedContext.caught("Sources/Sample.swift", "func f(@_inheritActorContext _ body: () -> Void) {}\n") == [1])
    }

    @Test("A trap says its sentence: fatalError and precondition are called in Trap.swift alone") func traps() {
        bareTraps.holds()
    }

    @Test("A bare trap is found, an assertion is not") func trapsSample() {
        let sample = "fatalError()\nprecondition(a)\npreconditionFailure()\nassert(a)\npreconditionIsolated()\n"
        #expect(bareTraps.caught("Sources/LoopCore/Sample.swift", sample) == [1, 2, 3])
        #expect(bareTraps.caught("Sources/LoopCore/Trap.swift", sample).isEmpty)
    }

    @Test("Whoever forces a value gives the reason on the line above") func forcedValues() {
        forced.holds()
    }

    @Test("A forced value without a reason is found") func forcedSample() {
        let sample = """
            let a = b!
            // The table was filled above.
            let c = d[0]!.e
            let f = !g && h != i
            let j = try! k()
            let l = m as! N
            """
        #expect(forced.caught("Sources/Sample.swift", sample) == [1, 5, 6])
    }
}
