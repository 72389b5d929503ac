import Testing

/// A declaration with `unsafe` in it names the invariant that makes it so: in the lines above it, or before the first use.
private let safetyComments = Rule(.sources) { file in
    let uses = file.lines(mentioning: "unsafe").filter { isExpression($0.code) }
    return uses.filter { !hasSafetyComment($0, in: file) }.map {
        Offence(path: file.path, line: $0.number, complaint: "`unsafe` without a `// SAFETY:` line in its declaration")
    }
}

/// `unsafe pointer.pointee`, but not `@unsafe` and not `nonisolated(unsafe)`.
private func isExpression(_ code: String) -> Bool {
    code.ranges(of: "unsafe").contains { found in
        let before = code[..<found.lowerBound].last ?? " "
        let after = code[found.upperBound...].first ?? " "
        return !before.isWord && before != "@" && after.isWhitespace
    }
}

private func hasSafetyComment(_ use: Line, in file: SourceFile) -> Bool {
    let declaration = file.declarations.first { $0.head.kind == .member && $0.lines.contains(use.number) }
    let start = declaration?.lines.lowerBound ?? use.number
    let preamble = file.lines[..<(start - 1)].reversed().prefix { $0.isOnlyComment || $0.isOnlyAttribute }
    let body = file.lines[(start - 1)..<use.number]
    return (preamble + body).contains { $0.comment.contains("// SAFETY: ") }
}

@Suite("Safety comments") struct SafetyCommentTests {
    @Test("Each declaration with an unsafe expression in it says why that is safe") func safety() {
        safetyComments.holds()
    }

    @Test("An unsafe expression whose declaration says nothing is found") func safetySample() {
        let sample = """
            @unsafe struct Sample {
                nonisolated(unsafe) var a = 1
                // SAFETY: the ledger owns it.
                let b = unsafe c
                let d = unsafe c
                /// Says what.
                // SAFETY: says why.
                @inline(never)
                func e() { unsafe f() }
                func g(
                    h: Int
                ) {
                    // SAFETY: checked by the caller.
                    unsafe i()
                    j { unsafe k() }
                }
                func l() {
                    print("\\(unsafe m)")
                    // SAFETY: too late.
                }
            }
            """
        #expect(safetyComments.caught("Sources/Sample.swift", sample) == [5, 18])
    }
}
