import Testing

private let prose = Scope(endings: [".md"])
private let foldersOfTheRepository = ["Sources/", "Tests/", "scripts/", "Examples/", "Benchmarks/", "docs/"]

/// Links that lead nowhere. What exists is asked of the caller.
private func brokenLinks(in file: SourceFile, exists: (String) -> Bool) -> [Offence] {
    proseLines(of: file).flatMap { line in
        line.text.matches(of: /\]\(([^)\s]+)\)/).map { String($0.output.1) }
            .filter { !$0.contains("://") && !$0.hasPrefix("#") && !$0.hasPrefix("mailto:") }
            .filter { !exists(resolve($0, from: file.path)) }
            .map { Offence(path: file.path, line: line.number, complaint: "nothing at \($0)") }
    }
}

/// Paths in backticks that are not there. `Examples/NAME/check` and `Sources/*.swift` stand for many, and are left alone.
private func brokenPaths(in file: SourceFile, exists: (String) -> Bool) -> [Offence] {
    proseLines(of: file).flatMap { line in
        line.text.matches(of: /`([^`\s:]+)[^`]*`/).map { String($0.output.1) }
            .filter { path in foldersOfTheRepository.contains { path.hasPrefix($0) } }
            .filter { !$0.contains("*") && !$0.contains("NAME") && !$0.contains("{") && !$0.contains("…") && !$0.contains("<") }
            .filter { !exists($0) }
            .map { Offence(path: file.path, line: line.number, complaint: "no such path: \($0)") }
    }
}

/// The lines outside code blocks.
private func proseLines(of file: SourceFile) -> [Line] {
    var isInBlock = false
    return file.lines.filter { line in
        guard line.text.trimmed.hasPrefix("```") else { return !isInBlock }
        isInBlock.toggle()
        return false
    }
}

/// `../README.md#limits` seen from `docs/guide.md` is `README.md`.
private func resolve(_ link: String, from path: String) -> String {
    var parts = path.split(separator: "/").dropLast()
    for part in link.prefix(while: { $0 != "#" }).split(separator: "/") where part != "." {
        if part == ".." { parts = parts.dropLast() } else { parts.append(part) }
    }
    return parts.joined(separator: "/")
}

@Suite("Prose") struct ProseTests {
    private let tree = SourceTree.repository

    @Test("Every relative link leads to a file") func links() {
        expectNone(Rule(prose) { brokenLinks(in: $0, exists: SourceTree.repository.exists) }.offences(in: tree))
    }

    @Test("A link that leads nowhere is found") func linksSample() {
        let sample = "[a](../README.md#b) [c](https://swift.org)\n[d](e.md), ![f](./g.png)\n```\n[h](i.md)\n```\n[j](#k)\n"
        let broken = brokenLinks(in: SourceFile(path: "docs/guide.md", text: sample)) { ["README.md", "docs/g.png"].contains($0) }
        #expect(broken.map(\.description) == ["docs/guide.md:2: nothing at e.md"])
    }

    @Test("Every path in backticks that looks like ours exists") func paths() {
        expectNone(Rule(prose) { brokenPaths(in: $0, exists: SourceTree.repository.exists) }.offences(in: tree))
    }

    @Test("A path in backticks that does not exist is found") func pathsSample() {
        let sample = "`scripts/test --asan`, `Sources/A.swift:12`\n`Examples/NAME/check`, `docs/gone.md`, `swift test`\n"
        let broken = brokenPaths(in: SourceFile(path: "README.md", text: sample)) { ["scripts/test", "Sources/A.swift"].contains($0) }
        #expect(broken.map(\.description) == ["README.md:2: no such path: docs/gone.md"])
    }
}

extension Rule {
    fileprivate func offences(in tree: SourceTree) -> [Offence] { tree.files.flatMap { offences(in: $0) } }
}
