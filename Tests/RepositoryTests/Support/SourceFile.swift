/// A file of the repository, cut into lines once, for every rule to look at.
struct SourceFile: Sendable {
    /// Relative to the root of the repository.
    let path: String
    let bytes: [UInt8]
    /// All the code, comments and strings blanked. The whole text where the file is not Swift.
    let code: String
    let lines: [Line]
    /// What a Swift file declares at file and type level, in order.
    let declarations: [Declaration]

    init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
        if path.hasSuffix(".swift") {
            let scanner = Scanner(bytes)
            code = String(decoding: scanner.code, as: UTF8.self)
            lines = Line.cut(bytes, code: scanner.code, comments: scanner.comments)
            declarations = Declaration.list(in: lines)
        } else {
            code = String(decoding: bytes, as: UTF8.self)
            lines = Line.cut(bytes, code: bytes, comments: bytes)
            declarations = []
        }
    }

    init(path: String, text: String) {
        self.init(path: path, bytes: Array(text.utf8))
    }

    /// The lines whose code has this word in it.
    func lines(mentioning word: String) -> [Line] {
        code.contains(word) ? lines.filter { $0.code.mentions(word) } : []
    }
}

/// One line, and what of it is code and what is comment. In a file that is not Swift it is all of both.
struct Line: Sendable {
    let number: Int
    let text: String
    let code: String
    let comment: String
    /// How many braces, brackets and parentheses are open where the line starts.
    let depth: Int

    var isBlankCode: Bool { code.allSatisfy(\.isWhitespace) }
    var isOnlyComment: Bool { isBlankCode && !comment.allSatisfy(\.isWhitespace) }
    var isDocumentation: Bool { isOnlyComment && comment.trimmed.hasPrefix("///") }
    /// An attribute that stands on a line of its own, above what it belongs to.
    var isOnlyAttribute: Bool { code.trimmed.hasPrefix("@") && DeclarationHead(code) == nil }

    static func cut(_ bytes: [UInt8], code: [UInt8], comments: [UInt8]) -> [Line] {
        var lines: [Line] = []
        var depth = 0
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            lines.append(
                Line(
                    number: lines.count + 1,
                    text: String(decoding: bytes[start..<end], as: UTF8.self),
                    code: String(decoding: code[start..<end], as: UTF8.self),
                    comment: String(decoding: comments[start..<end], as: UTF8.self),
                    depth: depth))
            depth += code[start..<end].reduce(0) { $0 + nesting(of: $1) }
            start = end + 1
        }
        return lines
    }

    private static func nesting(of byte: UInt8) -> Int {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "("): 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ")"): -1
        default: 0
        }
    }
}

extension StringProtocol {
    var trimmed: SubSequence {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace }) else {
            return self[endIndex...]
        }
        return self[first...last]
    }
}

extension String {
    /// Whether `word` occurs and is not the middle of a longer word.
    func mentions(_ word: String) -> Bool {
        ranges(of: word).contains { found in
            let joinsBefore = word.first?.isWord == true && self[..<found.lowerBound].last?.isWord == true
            let joinsAfter = word.last?.isWord == true && self[found.upperBound...].first?.isWord == true
            return !joinsBefore && !joinsAfter
        }
    }
}

extension Character {
    var isWord: Bool { isLetter || isNumber || self == "_" }
}
