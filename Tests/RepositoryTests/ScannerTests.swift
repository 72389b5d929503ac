import Testing

@Suite("The scanner that the rules stand on") struct ScannerTests {
    private func code(_ text: String) -> String { SourceFile(path: "Sample.swift", text: text).code }
    private func comment(_ text: String) -> String { SourceFile(path: "Sample.swift", text: text).lines.map(\.comment.trimmed).joined() }

    @Test("Comments are not code, and their columns stay") func comments() {
        #expect(code("a // b\nc /* d /* e */ f */ g") == "a     \nc                   g")
        #expect(comment("a // b\nc") == "// b")
        #expect(comment("a /* b /* c */ d */ e") == "/* b /* c */ d */")
        #expect(code("a / b") == "a / b")
    }

    @Test("The text of a string is not code, an interpolation in it is") func strings() {
        #expect(code(#"a("b // c", d)"#) == #"a("      ", d)"#)
        #expect(code(#"a("\(b(c)) d \"")e"#) == #"a(" (b(c))     ")e"#)
        #expect(code(#"a("\(b("c")) d")"#) == #"a(" (b(" "))  ")"#)
        #expect(code(##"#"a\(b)\#(c)"# + d"##) == ##"#"       (c)"# + d"##)
        #expect(code("\"\"\"\na \"b\" \\(c)\n\"\"\"\nd") == "\"\"\"\n       (c)\n\"\"\"\nd")
        #expect(code("a = \"\"; b") == "a = \"\"; b")
    }

    @Test("A directive is code") func directives() {
        #expect(code("#if a\n#expect(b)") == "#if a\n#expect(b)")
    }

    @Test("A declaration ends where its brackets close, over several lines too") func declarations() {
        let sample = """
            struct A {
                let b: Int
                func c(
                    d: Int
                ) -> Int
                where E: F {
                    let g = 1
                }
                var h: Int { 1 }
            }
            """
        let found = SourceFile(path: "Sample.swift", text: sample).declarations
        #expect(found.map(\.head.name) == ["A", "b", "c", "h"])
        #expect(found.map(\.lines) == [1...10, 2...2, 3...8, 9...9])
    }
}
