import Testing

private let texts = Scope(endings: [
    ".swift", ".sh", ".md", ".c", ".h", ".cpp", ".modulemap", ".yml", "/test", "/test-wine", "/test-uart", "/init", "/run", "/embedded",
    "/typecheck-windows", "/fresh-clone",
])

private let conflicts = Rule(texts) { file in
    let markers = ["<", "=", ">"].map { String(repeating: $0, count: 7) }
    return file.lines.filter { line in markers.contains { line.text == $0 || line.text.hasPrefix($0 + " ") } }.map {
        Offence(path: file.path, line: $0.number, complaint: "a conflict marker")
    }
}

private let tabs = Rule(texts) { file in
    file.lines.filter { $0.text.utf8.contains(UInt8(ascii: "\t")) }.map {
        Offence(path: file.path, line: $0.number, complaint: "a tab")
    }
}

private let trailingSpace = Rule(texts) { file in
    file.lines.filter { $0.text.last?.isWhitespace == true }.map {
        Offence(path: file.path, line: $0.number, complaint: "white space at the end of the line")
    }
}

private let finalNewline = Rule(texts) { file in
    guard let last = file.bytes.last, last != UInt8(ascii: "\n") else { return [] }
    return [Offence(path: file.path, line: file.lines.count, complaint: "no newline at the end of the file")]
}

@Suite("Text") struct TextTests {
    @Test("No file has a conflict marker") func conflictMarkers() {
        conflicts.holds()
    }

    @Test("A conflict marker is found, a heading's underline is not") func conflictMarkersSample() {
        #expect(conflicts.caught("docs/Sample.md", "<<<<<<< ours\n=======\n>>>>>>> theirs\nTitle\n========\n") == [1, 2, 3])
    }

    @Test("No file has tabs") func noTabs() {
        tabs.holds()
    }

    @Test("A tab is found, an escaped one is not") func noTabsSample() {
        #expect(tabs.caught("scripts/test", "\techo\necho '\\t'\n") == [1])
    }

    @Test("No line ends in white space") func noTrailingSpace() {
        trailingSpace.holds()
    }

    @Test("White space at the end of a line is found, a carriage return too") func noTrailingSpaceSample() {
        #expect(trailingSpace.caught("docs/Sample.md", "a \nb\nc\r\n") == [1, 3])
    }

    @Test("Every file ends in a newline") func endings() {
        finalNewline.holds()
    }

    @Test("A file without a newline at its end is found") func endingsSample() {
        #expect(finalNewline.caught("Sources/Sample.swift", "let a = 1\nlet b = 2") == [2])
    }
}
