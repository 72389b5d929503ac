/// Tells code from comments and from the text of string literals, column by column.
///
/// Enough of the language for rules that look for words: nested comments, raw and multi-line strings, interpolations (which are code).
/// Regex literals are not known to it. It goes from one byte that may matter to the next, so that the suite stays fast unoptimised.
struct Scanner {
    /// The source with comments and the text of strings blanked; the quotes stay.
    private(set) var code: [UInt8]
    /// The source with everything but comments blanked.
    private(set) var comments: [UInt8]

    private enum Mode {
        case code
        /// Code inside a string, with so many parentheses open.
        case interpolation(parentheses: Int)
        case blockComment(depth: Int)
        case string(hashes: Int, quotes: Int)
    }

    private let source: [UInt8]
    private var position = 0
    private var modes: [Mode] = [.code]

    init(_ source: [UInt8]) {
        self.source = source
        code = source.map { $0 == newline ? newline : UInt8(ascii: " ") }
        comments = code
        while position < source.count { step() }
    }

    private mutating func step() {
        switch modes[modes.count - 1] {
        case .code: stepInCode()
        case .interpolation(let parentheses): stepInInterpolation(parentheses)
        case .blockComment(let depth): stepInBlockComment(depth)
        case .string(let hashes, let quotes): stepInString(hashes, quotes)
        }
    }

    private mutating func stepInCode() {
        let plain = distance { opensSomething[Int($0)] }
        guard plain == 0 else { return keepCode(plain) }
        switch byte(0) {
        case slash where byte(1) == slash: keepComment(distance { $0 == newline })
        case slash where byte(1) == star: openBlockComment(depth: 1)
        case quote, hash: openString()
        default: keepCode(1)
        }
    }

    private mutating func stepInInterpolation(_ parentheses: Int) {
        switch byte(0) {
        case UInt8(ascii: "("): modes[modes.count - 1] = .interpolation(parentheses: parentheses + 1)
        case UInt8(ascii: ")") where parentheses == 0: modes.removeLast()
        case UInt8(ascii: ")"): modes[modes.count - 1] = .interpolation(parentheses: parentheses - 1)
        default: return stepInCode()
        }
        keepCode(1)
    }

    private mutating func openBlockComment(depth: Int) {
        if depth == 1 { modes.append(.blockComment(depth: 1)) } else { modes[modes.count - 1] = .blockComment(depth: depth) }
        keepComment(2)
    }

    private mutating func stepInBlockComment(_ depth: Int) {
        keepComment(distance { $0 == slash || $0 == star })
        if byte(0) == slash, byte(1) == star {
            openBlockComment(depth: depth + 1)
        } else if byte(0) == star, byte(1) == slash {
            if depth == 1 { modes.removeLast() } else { modes[modes.count - 1] = .blockComment(depth: depth - 1) }
            keepComment(2)
        } else {
            keepComment(1)
        }
    }

    /// A hash without a quote behind it is a directive or a macro: code.
    private mutating func openString() {
        let hashes = distance { $0 != hash }
        let quotes = byte(hashes) != quote ? 0 : byte(hashes + 1) == quote && byte(hashes + 2) == quote ? 3 : 1
        if quotes > 0 { modes.append(.string(hashes: hashes, quotes: quotes)) }
        keepCode(hashes + quotes)
    }

    private mutating func stepInString(_ hashes: Int, _ quotes: Int) {
        position += distance { $0 == quote || $0 == backslash || $0 == newline }
        if repeats(quote, quotes, from: 0), repeats(hash, hashes, from: quotes) {
            modes.removeLast()
            keepCode(quotes + hashes)
        } else if byte(0) == backslash, repeats(hash, hashes, from: 1) {
            position += 1 + hashes
            stepAfterBackslash()
        } else {
            if byte(0) == newline, quotes == 1 { modes.removeLast() }
            position += 1
        }
    }

    private mutating func stepAfterBackslash() {
        guard byte(0) == UInt8(ascii: "(") else {
            position += 1
            return
        }
        modes.append(.interpolation(parentheses: 0))
        keepCode(1)
    }

    // MARK: bytes

    /// The byte so far ahead; zero past the end.
    private func byte(_ offset: Int) -> UInt8 {
        position + offset < source.count ? source[position + offset] : 0
    }

    private func repeats(_ wanted: UInt8, _ count: Int, from offset: Int) -> Bool {
        (offset..<(offset + count)).allSatisfy { byte($0) == wanted }
    }

    private func distance(to isWanted: (UInt8) -> Bool) -> Int {
        var end = position
        while end < source.count, !isWanted(source[end]) { end += 1 }
        return end - position
    }

    private mutating func keepCode(_ count: Int) {
        let range = position..<min(position + count, source.count)
        code.replaceSubrange(range, with: source[range])
        position = range.upperBound
    }

    private mutating func keepComment(_ count: Int) {
        let range = position..<min(position + count, source.count)
        comments.replaceSubrange(range, with: source[range])
        position = range.upperBound
    }
}

private let slash = UInt8(ascii: "/")
private let star = UInt8(ascii: "*")
private let quote = UInt8(ascii: "\"")
private let hash = UInt8(ascii: "#")
private let backslash = UInt8(ascii: "\\")
private let newline = UInt8(ascii: "\n")

/// The bytes at which code may stop being plain; the parentheses matter to interpolations.
private let opensSomething: [Bool] = (0..<256).map { [slash, quote, hash, UInt8(ascii: "("), UInt8(ascii: ")")].contains(UInt8($0)) }
