import Testing

private let code = Scope(endings: [".swift", ".c", ".cpp", ".h"])

/// A kind, not a name: what has to happen before the line can go.
private let kindsOfTodo = ["TODO(port):", "TODO(perf):", "TODO(api):"]

private let todos = Rule(code) { file in
    file.lines.filter { $0.comment.mentions("TODO") && !isKnownTodo($0.comment) }.map {
        Offence(path: file.path, line: $0.number, complaint: "one of \(kindsOfTodo.joined(separator: " ")) please")
    }
}

private let unfinished = Rule(code) { file in
    file.lines.filter { $0.comment.mentions("FIXME") || $0.comment.mentions("XXX") }.map {
        Offence(path: file.path, line: $0.number, complaint: "does not reach main")
    }
}

private func isKnownTodo(_ comment: String) -> Bool {
    kindsOfTodo.contains { comment.contains($0) }
}

@Suite("Unfinished work") struct WordingTests {
    @Test("What is left to do has a kind") func todoKinds() {
        todos.holds()
    }

    @Test("What is left to do without a kind is found") func todoKindsSample() {
        let sample = "// TODO: later\n// TODO(port): macOS\nlet a = \"TODO\"\n// TODO(ann): no\n"
        #expect(todos.caught("Sources/Sample.swift", sample) == [1, 4])
    }

    @Test("Nothing that needs fixing is committed as such") func fixmes() {
        unfinished.holds()
    }

    @Test("A line that says it needs fixing is found") func fixmesSample() {
        #expect(unfinished.caught("Sources/Sample.c", "/* FIXME */\nint a;\n// XXX: really\n// ttyXXXL\n") == [1, 3])
    }
}
