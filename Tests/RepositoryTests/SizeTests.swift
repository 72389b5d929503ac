import Testing

/// Past this many lines a file hides a second noun.
private let linesPerFileMax = 400
/// A function fits on a screen.
private let linesPerFunctionMax = 70
/// The formatter's limit, which it does not apply to comments.
private let columnsMax = 140

private let fileLength = Rule(.sources) { file in
    guard file.lines.count > linesPerFileMax else { return [] }
    return [Offence(path: file.path, line: linesPerFileMax + 1, complaint: "\(file.lines.count) lines: look for the noun that is hiding")]
}

private let functionLength = Rule(.swift) { file in
    // A `let` of many lines is a table, not a function.
    file.declarations.filter { $0.head.kind == .member && $0.head.keyword != "let" && $0.lines.count > linesPerFunctionMax }.map {
        Offence(path: file.path, line: $0.lines.lowerBound, complaint: "\($0.head.name) has \($0.lines.count) lines")
    }
}

private let lineLength = Rule(.swift) { file in
    file.lines.filter { $0.text.utf8.count > columnsMax && $0.text.count > columnsMax }.map {
        Offence(path: file.path, line: $0.number, complaint: "\($0.text.count) columns")
    }
}

@Suite("Sizes") struct SizeTests {
    @Test("A file under Sources has at most 400 lines") func files() {
        fileLength.holds()
    }

    @Test("A file of 401 lines is found") func filesSample() {
        #expect(fileLength.caught("Sources/Sample.swift", String(repeating: "\n", count: 400)).isEmpty)
        #expect(fileLength.caught("Sources/Sample.swift", String(repeating: "\n", count: 401)) == [401])
    }

    @Test("A function has at most 70 lines") func functions() {
        functionLength.holds()
    }

    @Test("A function of 71 lines is found, a type of 71 lines is not") func functionsSample() {
        let fits = "    func fits() {\n" + String(repeating: "\n", count: 68) + "    }\n"
        let isLong = "    func isLong(\n        _ a: Int\n    ) -> Int {\n" + String(repeating: "\n", count: 67) + "    }\n"
        #expect(functionLength.caught("Sources/Sample.swift", "struct S {\n" + fits + "\n" + isLong + "}\n") == [73])
    }

    @Test("A line has at most 140 columns") func columns() {
        lineLength.holds()
    }

    @Test("A line of 141 columns is found, in a comment too") func columnsSample() {
        let fits = String(repeating: "é", count: 140)
        #expect(lineLength.caught("Tests/Sample.swift", "// \(fits.dropLast(3))\n// \(fits)\n") == [2])
    }
}
