internal import Synchronization

/// The name of one operation: a place in one ledger, and the generation of what is there.
///
/// A stale, foreign or doubled id is refused in one place and counted, never followed (clause C6). Generations have 64 bits, so none
/// comes round again.
public struct OperationID: Hashable, Sendable {
    let generation: UInt64
    let index: CellIndex
    let ledger: UInt32
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
