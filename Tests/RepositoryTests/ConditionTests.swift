import Testing

/// `#if os(…)` lives in the umbrella alone: everywhere else a platform is a module, or a whole file.
private let platformConditions = Rule(.sources) { file in
    conditions(in: file).filter { $0.text.mentions("os(") && !file.path.hasPrefix("Sources/Portloop/") }.map {
        $0.offence(in: file, "#if os is for the umbrella alone")
    }
}

/// The others: a platform's whole file, what an embedded image lacks, and the compiler whose private interface two files use.
private let knownConditions = Rule(.sources) { file in
    conditions(in: file).filter { !isKnown($0, in: file) }.map {
        $0.offence(in: file, "#if \($0.text) is not one of the conditions that have a reason")
    }
}

private let wholeFileGuards = Rule(.sources) { file in
    let guards = conditions(in: file).filter { isPlatformGuard($0.text) }
    let code = file.lines.filter { !$0.isBlankCode }
    let spans = code.first?.number == guards.first?.line && code.last.map(\.code.trimmed) == "#endif"
    return guards.dropFirst(spans && staysOpen(code) ? 1 : 0).map {
        $0.offence(in: file, "#if \($0.text) must guard the file as a whole, from its first line of code to its last")
    }
}

private let conditionsAtFileLevel = Rule(.sources) { file in
    file.lines.filter { $0.code.trimmed.hasPrefix("#if") && $0.depth > 0 }.map {
        Offence(path: file.path, line: $0.number, complaint: "#if inside a type or a function")
    }
}

private struct Condition {
    let line: Int
    let text: String

    func offence(in file: SourceFile, _ complaint: String) -> Offence { Offence(path: file.path, line: line, complaint: complaint) }
}

private func conditions(in file: SourceFile) -> [Condition] {
    file.lines.compactMap { line in
        let code = line.code.trimmed
        guard let directive = ["#if ", "#elseif "].first(where: { code.hasPrefix($0) }) else { return nil }
        return Condition(line: line.number, text: String(code.dropFirst(directive.count)))
    }
}

private func isKnown(_ condition: Condition, in file: SourceFile) -> Bool {
    if isPlatformGuard(condition.text) { return true }
    if ["hasFeature(Embedded)", "!hasFeature(Embedded)"].contains(condition.text) { return true }
    if condition.text.hasPrefix("os(") { return file.path.hasPrefix("Sources/Portloop/") }
    if condition.text.hasPrefix("compiler(") { return ["/TakeOver.swift", "/CurrentTask.swift"].contains { file.path.hasSuffix($0) } }
    return false
}

private func isPlatformGuard(_ condition: String) -> Bool {
    condition == "PORTLOOP_LINUX" || condition == "PORTLOOP_WINDOWS"
}

/// Whether the first `#if` is closed by the last line and by none before it, without another branch.
private func staysOpen(_ code: [Line]) -> Bool {
    var open = 0
    for line in code.dropLast() {
        if line.code.trimmed.hasPrefix("#if") { open += 1 }
        if line.code.trimmed.hasPrefix("#endif") { open -= 1 }
        if open == 0 || (open == 1 && line.code.trimmed.hasPrefix("#else")) { return false }
    }
    return true
}

@Suite("Conditions") struct ConditionTests {
    @Test("#if os appears in the umbrella alone") func platforms() {
        platformConditions.holds()
    }

    @Test("#if os outside the umbrella is found") func platformsSample() {
        let sample = "#if os(Linux)\n#endif\n#if !os(Windows)\n#endif\n"
        #expect(platformConditions.caught("Sources/LoopCore/Sample.swift", sample) == [1, 3])
        #expect(platformConditions.caught("Sources/Portloop/Sample.swift", sample).isEmpty)
    }

    @Test("Every other condition is one of the few that have a reason") func known() {
        knownConditions.holds()
    }

    @Test("A condition without a reason is found") func knownSample() {
        let sample = "#if DEBUG\n#elseif canImport(Glibc)\n#endif\n#if hasFeature(Embedded)\n#endif\n#if compiler(>=6.3)\n#endif\n"
        #expect(knownConditions.caught("Sources/LoopCore/Sample.swift", sample) == [1, 2, 6])
        #expect(knownConditions.caught("Sources/LoopCore/Tasks/TakeOver.swift", sample) == [1, 2])
    }

    @Test("A platform's condition guards its file as a whole") func wholeFile() {
        wholeFileGuards.holds()
    }

    @Test("A platform's condition around half a file is found") func wholeFileSample() {
        let path = "Sources/SerialOps/Sample.swift"
        #expect(wholeFileGuards.caught(path, "// Why.\n#if PORTLOOP_LINUX\nlet a = 1\n#endif\n").isEmpty)
        #expect(wholeFileGuards.caught(path, "#if PORTLOOP_LINUX\n#if hasFeature(Embedded)\n#else\n#endif\nlet a = 1\n#endif\n").isEmpty)
        #expect(wholeFileGuards.caught(path, "let a = 1\n#if PORTLOOP_LINUX\n#endif\n") == [2])
        #expect(wholeFileGuards.caught(path, "#if PORTLOOP_LINUX\n#endif\n#if PORTLOOP_WINDOWS\n#endif\n") == [1, 3])
        #expect(wholeFileGuards.caught(path, "#if PORTLOOP_LINUX\n#else\n#endif\n") == [1])
    }

    @Test("No condition stands inside a type or a function") func fileLevel() {
        conditionsAtFileLevel.holds()
    }

    @Test("A condition inside a type or a function is found") func fileLevelSample() {
        let sample = "#if hasFeature(Embedded)\n#endif\nstruct S {\n    #if hasFeature(Embedded)\n    #endif\n}\n"
        #expect(conditionsAtFileLevel.caught("Sources/LoopCore/Sample.swift", sample) == [4])
    }
}
