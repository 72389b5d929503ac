import Synchronization

/// What happened, in order, whichever thread it happened on.
final class Journal: Sendable {
    private let stored = Mutex<[String]>([])

    func add(_ line: String) { stored.withLock { $0.append(line) } }

    var lines: [String] { stored.withLock { $0 } }

    func count(_ line: String) -> Int { lines.count { $0 == line } }

    func clear() { stored.withLock { $0 = [] } }
}

/// A number that any thread may raise.
final class Tally: Sendable {
    private let stored = Atomic<Int>(0)

    func add(_ number: Int = 1) { stored.add(number, ordering: .sequentiallyConsistent) }

    var value: Int { stored.load(ordering: .sequentiallyConsistent) }
}

/// An object that says when it is gone.
final class Witness: Sendable {
    private let gone: Tally

    init(_ gone: Tally) { self.gone = gone }

    /// A use, so that a function can be seen to keep it.
    func stay() {}

    deinit { gone.add() }
}
