import Testing

// A Swift block of the README or the docs that starts with `// example: NAME` is compiled: the same lines stand in a file under Examples
// or Tests, from a line `// example: NAME` to `// example end`, the next example, or the end of the file.

private struct Snippet {
    let name: String
    let path: String
    let line: Int
    let body: [String]
}

private func blocks(in file: SourceFile) -> [Snippet] {
    let starts = file.lines.indices.dropFirst().filter { index in
        file.lines[index - 1].text.trimmed == "```swift" && name(in: file.lines[index].text) != nil
    }
    return starts.map { start in
        snippet(in: file, at: start, name: name(in: file.lines[start].text) ?? "") { $0.text.trimmed == "```" }
    }
}

private func regions(in file: SourceFile) -> [Snippet] {
    let starts = file.lines.filter { name(in: $0.comment) != nil }
    return starts.map { start in
        snippet(in: file, at: start.number - 1, name: name(in: start.comment) ?? "") {
            $0.comment.trimmed == "// example end" || name(in: $0.comment) != nil
        }
    }
}

private func name(in comment: String) -> String? {
    let marker = "// example: "
    return comment.trimmed.hasPrefix(marker) ? String(comment.trimmed.dropFirst(marker.count)) : nil
}

private func snippet(in file: SourceFile, at start: Int, name: String, until isEnd: (Line) -> Bool) -> Snippet {
    let body = file.lines[(start + 1)...].prefix { !isEnd($0) }.map(\.text)
    return Snippet(name: name, path: file.path, line: start + 1, body: flush(body))
}

/// Without the indentation that all lines share, and without blank lines at either end.
private func flush(_ lines: [String]) -> [String] {
    let used = lines.filter { !$0.trimmed.isEmpty }
    let indentation = used.map { $0.prefix { $0 == " " }.count }.min() ?? 0
    let first = lines.firstIndex { !$0.trimmed.isEmpty } ?? 0
    let last = lines.lastIndex { !$0.trimmed.isEmpty } ?? -1
    return first > last ? [] : lines[first...last].map { String($0.dropFirst(indentation)) }
}

private func unbuilt(_ blocks: [Snippet], among regions: [Snippet]) -> [Offence] {
    blocks.compactMap { block in
        let candidates = regions.filter { $0.name == block.name }
        guard let region = candidates.first else {
            return Offence(path: block.path, line: block.line, complaint: "no example named \(block.name)")
        }
        guard candidates.count == 1 else {
            return Offence(path: block.path, line: block.line, complaint: "\(candidates.count) examples named \(block.name)")
        }
        guard region.body != block.body else { return nil }
        let different = zip(region.body, block.body).prefix { $0 == $1 }.count + 1
        return Offence(path: block.path, line: block.line + different, complaint: "differs from \(region.path):\(region.line + different)")
    }
}

@Suite("Examples in the prose") struct SnippetTests {
    @Test("Every named example in the prose is a region of a program that is built") func snippets() {
        let files = SourceTree.repository.files
        let programs = files.filter { ($0.path.hasPrefix("Examples/") || $0.path.hasPrefix("Tests/")) && $0.path.hasSuffix(".swift") }
        let prose = files.filter { $0.path == "README.md" || $0.path == "ARCHITECTURE.md" || $0.path.hasPrefix("docs/") }
        expectNone(unbuilt(prose.flatMap { blocks(in: $0) }, among: programs.flatMap { regions(in: $0) }))
    }

    @Test("An example that has drifted, or that nobody builds, is found") func snippetsSample() {
        let program = "// example: a\nlet a = 1\nlet b = 2\n// example end\nfunc f() {\n    // example: c\n    let c = 3\n\n}\n"
        let prose = "```swift\n// example: a\nlet a = 1\nlet b = 3\n```\n```swift\n// example: d\n```\n```swift\nlet e = 4\n```\n"
        let built = regions(in: SourceFile(path: "Examples/A.swift", text: program))
        #expect(built.map(\.name) == ["a", "c"])
        let offences = unbuilt(blocks(in: SourceFile(path: "README.md", text: prose)), among: built)
        #expect(offences.map(\.description) == ["README.md:4: differs from Examples/A.swift:3", "README.md:7: no example named d"])
    }

    @Test("An indented region equals the block that shows it") func indentation() {
        let program = "func f() {\n    // example: a\n    let a = 1\n    if a {\n        b()\n    }\n    // example end\n}\n"
        let prose = "```swift\n// example: a\nlet a = 1\nif a {\n    b()\n}\n```\n"
        let built = regions(in: SourceFile(path: "Tests/A.swift", text: program))
        #expect(unbuilt(blocks(in: SourceFile(path: "README.md", text: prose)), among: built).isEmpty)
    }
}
