/// Who owns which operation: the records, the associations, and every move between the states of `OperationState`.
///
/// The ledger calls the port and never a user. What is to be told to waiters it collects in ``settled`` and ``notices``, which the loop
/// works off when the ledger is whole again. It belongs to the loop's thread. Its invariants are numbered in Ledger+Invariants.swift.
final class Ledger {
    let number = LedgerNumber.next()
    let limits: Limits
    let port: any CompletionPort
    let slab: Slab
    private let pinnedHandles = Pinned(HandleTable())
    private let pinnedCounts = Pinned(LedgerCounts())
    private let pinnedKinds = Pinned(KindTable())
    private let pinnedSettled = Pinned(Ring<Cell>(capacity: 256))
    private let pinnedNotices = Pinned(Ring<Notice>())
    /// What ``takeFacts(_:)`` lends, where the record itself has gone.
    let lastFacts = Pinned(Completion(count: 0))
    /// False once the loop ends: from then on nothing is prepared or associated.
    var isOpen = true

    init(port: any CompletionPort, limits: Limits) {
        self.port = port
        self.limits = limits
        slab = Slab(idleBytesMax: limits.idleBytesMax)
    }

    deinit {
        closeUntakenHandles()
        slab.outliveLedger()
    }

    var handles: HandleTable {
        // SAFETY: see Pinned.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pinnedHandles.address) }
        // SAFETY: see Pinned.
        @inline(__always) unsafeMutableAddress { unsafe pinnedHandles.address }
    }

    var kinds: KindTable {
        // SAFETY: see Pinned.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pinnedKinds.address) }
        // SAFETY: see Pinned.
        @inline(__always) unsafeMutableAddress { unsafe pinnedKinds.address }
    }

    var counts: LedgerCounts {
        // SAFETY: see Pinned.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pinnedCounts.address) }
        // SAFETY: see Pinned.
        @inline(__always) unsafeMutableAddress { unsafe pinnedCounts.address }
    }

    /// Operations whose packet has come and whose waiter has not been told yet (L9). The waiter stays in the record until then, so that a
    /// sibling told earlier may still look at it, and while it does nobody can take the record.
    var settled: Ring<Cell> {
        // SAFETY: see Pinned.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pinnedSettled.address) }
        // SAFETY: see Pinned.
        @inline(__always) unsafeMutableAddress { unsafe pinnedSettled.address }
    }

    /// What else is to be told, after those.
    var notices: Ring<Notice> {
        // SAFETY: see Pinned.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pinnedNotices.address) }
        // SAFETY: see Pinned.
        @inline(__always) unsafeMutableAddress { unsafe pinnedNotices.address }
    }

    /// Whether there is nobody to tell anything.
    var hasToldEverybody: Bool { settled.isEmpty && notices.isEmpty }

    /// The record an id names. The one place where stale and foreign ids are found out (clause C6).
    @inline(__always)
    func find(_ id: OperationID) throws(OperationError) -> Cell {
        guard id.ledger == number, let cell = slab.find(id.index, generation: id.generation) else { throw refusal(of: id) }
        return cell
    }

    @inline(never)
    private func refusal(of id: OperationID) -> OperationError {
        guard id.ledger == number else {
            counts.foreignIDs &+= 1
            return .foreignID
        }
        counts.staleIDs &+= 1
        return .staleID
    }

    @inline(__always)
    func id(of cell: Cell) -> OperationID {
        OperationID(generation: cell.record.generation, index: cell.record.index, ledger: number)
    }

    /// What the port is given to start or to cancel the operation.
    // SAFETY: the record is prepared or submitted, so its memory stays until the packet (L6).
    @inline(__always)
    func request(_ cell: Cell, inline: InlineCompletion = .never) -> PortRequest {
        unsafe PortRequest(
            block: cell.block, buffer: cell.buffer, address: cell.addressPointer, handle: cell.handle.entry.native,
            key: cell.handle.entry.key, inline: inline)
    }
}
