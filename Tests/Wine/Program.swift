/// The program: every suite of the table, or those that the arguments name.
enum Program {
    static func run(_ arguments: [String]) -> Int32 {
        var words = arguments
        if words.first == "--provoke" { return Provocations.run(words.last ?? "") }
        let isListing = words.first == "--list"
        let isNaming = words.first == "--names"
        if isListing || isNaming { words.removeFirst() }
        let chosen = Suites.all.compactMap { $0.matching(words) }
        if isListing { return Report.list(chosen) }
        return Report.run(chosen, names: isNaming ? .said : .unsaid)
    }
}

extension Suite {
    /// The suite with the cases that one of the words is about; nil if there are none. No words are about everything.
    func matching(_ words: [String]) -> Suite? {
        if words.isEmpty || words.contains(where: { name.has($0) }) { return self }
        let cases = cases.filter { test in words.contains { test.name.has($0) } }
        return cases.isEmpty ? nil : Suite(name, cases)
    }
}

extension String {
    /// By bytes: an embedded program has no other search.
    fileprivate func has(_ word: String) -> Bool {
        let (text, word) = (Array(utf8), Array(word.utf8))
        guard !word.isEmpty, text.count >= word.count else { return word.isEmpty }
        return (0...(text.count - word.count)).contains { start in
            word.indices.allSatisfy { text[start + $0] == word[$0] }
        }
    }
}
