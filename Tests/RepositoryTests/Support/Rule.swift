import Testing

/// One breach of a rule, where a person can click on it.
struct Offence: Sendable, CustomStringConvertible {
    let path: String
    let line: Int
    let complaint: String

    var description: String { "\(path):\(line): \(complaint)" }
}

/// A rule of the repository: which files it is about, and what it finds wrong in one of them. It looks at nothing but the file.
struct Rule: Sendable {
    let scope: Scope
    let check: @Sendable (SourceFile) -> [Offence]

    init(_ scope: Scope, _ check: @escaping @Sendable (SourceFile) -> [Offence]) {
        self.scope = scope
        self.check = check
    }

    func offences(in file: SourceFile) -> [Offence] { scope.contains(file.path) ? check(file) : [] }

    /// The lines of a sample that the rule complains about.
    func caught(_ path: String, _ text: String) -> [Int] {
        offences(in: SourceFile(path: path, text: text)).map(\.line)
    }

    /// Whether the repository keeps the rule. Every offender is listed.
    func holds(in tree: SourceTree = .repository, sourceLocation: SourceLocation = #_sourceLocation) {
        expectNone(tree.files.flatMap { offences(in: $0) }, sourceLocation: sourceLocation)
    }
}

func expectNone(_ offences: [Offence], sourceLocation: SourceLocation = #_sourceLocation) {
    let list = offences.map(\.description).joined(separator: "\n")
    #expect(offences.isEmpty, "\(offences.count) offences:\n\(list)", sourceLocation: sourceLocation)
}

extension Rule {
    /// No line in the scope has this word in its code.
    static func forbids(_ word: String, in scope: Scope, because reason: String) -> Rule {
        Rule(scope) { file in
            file.lines(mentioning: word).map { Offence(path: file.path, line: $0.number, complaint: "\(word): \(reason)") }
        }
    }
}

/// The files that a rule is about: by folder and by ending, but for exceptions.
struct Scope: Sendable {
    var folders: [String] = [""]
    var endings: [String] = [".swift"]
    var exceptions: [String] = []

    static let swift = Scope()
    static let sources = Scope(folders: ["Sources/"])
    static let tests = Scope(folders: ["Tests/"])
    /// What a user compiles or reads as an example.
    static let shipped = Scope(folders: ["Sources/", "Examples/"])

    func contains(_ path: String) -> Bool {
        folders.contains { path.hasPrefix($0) } && endings.contains { path.hasSuffix($0) } && !exceptions.contains { path.hasSuffix($0) }
    }

    func except(_ exceptions: String...) -> Scope {
        Scope(folders: folders, endings: endings, exceptions: self.exceptions + exceptions)
    }
}
