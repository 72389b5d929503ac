/// Something a Swift file declares at file or type level. What is declared inside a function's body belongs to that function.
struct Declaration: Sendable {
    let head: DeclarationHead
    /// Line numbers, both included.
    let lines: ClosedRange<Int>
    let isPublic: Bool

    /// Finds declarations by their first line and the brackets that follow. Good enough for formatted sources.
    static func list(in lines: [Line]) -> [Declaration] {
        var found: [Declaration] = []
        var publicContainers: [Line] = []
        var index = 0
        while index < lines.count {
            let line = lines[index]
            publicContainers.removeAll { $0.depth >= line.depth }
            guard let head = DeclarationHead(line.code) else {
                index += 1
                continue
            }
            let end = lastIndex(of: index, in: lines)
            let isPublic = head.isPublic || !publicContainers.isEmpty
            found.append(Declaration(head: head, lines: line.number...lines[end].number, isPublic: isPublic))
            if head.makesMembersPublic { publicContainers.append(line) }
            index = head.kind == .member ? end + 1 : index + 1
        }
        return found
    }

    private static func lastIndex(of start: Int, in lines: [Line]) -> Int {
        var index = start
        while index + 1 < lines.count {
            let isOpen = lines[index + 1].depth > lines[start].depth
            guard isOpen || continues(lines[index], in: lines[index + 1]) else { break }
            index += 1
        }
        return index
    }

    private static func continues(_ line: Line, in next: Line) -> Bool {
        let code = line.code.trimmed
        let nextCode = next.code.trimmed
        return [",", "=", "->", ":", "&", "where"].contains { code.hasSuffix($0) }
            || ["->", "{", "where ", "throws", "async", ".", "=", "?", ":", "&", "|", "+"].contains { nextCode.hasPrefix($0) }
    }
}

/// The first words of a declaration: `public static func wait` and the like.
struct DeclarationHead: Sendable {
    enum Kind { case type, member, other }

    let modifiers: [String]
    let keyword: String
    let kind: Kind
    /// `wait`, `==`, `init(rawValue`.
    let name: String

    var isPublic: Bool { modifiers.contains("public") || modifiers.contains("open") }
    /// The members of a public protocol or extension are public without saying so.
    var makesMembersPublic: Bool { isPublic && (keyword == "protocol" || keyword == "extension") }

    init?(_ code: String) {
        var rest = code.trimmed
        var modifiers: [String] = []
        while let word = Self.word(at: rest) {
            let isAttribute = word.hasPrefix("@")
            rest = rest.dropFirst(word.count)
            if let kind = Self.kinds[word] {
                self.modifiers = modifiers
                self.keyword = word
                self.kind = kind
                name = Self.name(of: word, at: rest)
                return
            }
            guard isAttribute || Self.modifiers.contains(word) else { return nil }
            rest = Self.skippingParentheses(rest).trimmed
            modifiers.append(word)
        }
        return nil
    }

    private static let kinds: [String: Kind] = [
        "func": .member, "init": .member, "deinit": .member, "subscript": .member, "var": .member, "let": .member,
        "struct": .type, "class": .type, "actor": .type, "enum": .type, "protocol": .type, "extension": .type,
        "typealias": .other, "associatedtype": .other, "import": .other, "operator": .other, "macro": .other, "case": .other,
    ]

    private static let modifiers: Set<String> = [
        "public", "package", "internal", "private", "fileprivate", "open", "static", "final", "override", "mutating", "nonmutating",
        "consuming", "borrowing", "nonisolated", "isolated", "lazy", "weak", "unowned", "required", "convenience", "indirect",
        "prefix", "postfix", "infix",
    ]

    private static func word(at text: Substring) -> String? {
        let word = text.prefix { $0.isWord || $0 == "@" }
        return word.isEmpty ? nil : String(word)
    }

    private static func skippingParentheses(_ text: Substring) -> Substring {
        guard text.first == "(" else { return text }
        var depth = 0
        for index in text.indices {
            if text[index] == "(" { depth += 1 }
            if text[index] == ")" { depth -= 1 }
            if depth == 0 { return text[text.index(after: index)...] }
        }
        return text[text.endIndex...]
    }

    private static func name(of keyword: String, at rest: Substring) -> String {
        if keyword == "init" { return nameOfInitializer(rest) }
        let name = rest.trimmed.prefix { !$0.isWhitespace && $0 != "(" && $0 != ":" }
        return name.first?.isWord == true ? String(name.prefix { $0.isWord }) : String(name)
    }

    private static func nameOfInitializer(_ rest: Substring) -> String {
        rest.hasPrefix("()") ? "init()" : "init" + rest.prefix { $0 != ":" && $0 != " " }.filter { $0 != "?" }
    }
}
