extension Ledger {
    /// Makes of a completed operation the next one on its handle, in its place: nothing goes through the free list, and no limit is asked.
    /// The record is on the handle's list before and after. Without a kind it stays of the one it was of, or of none.
    @inline(never)
    func renew(_ id: OperationID, as kind: OperationKind?, tag: UInt64, now: MonotonicInstant) throws(OperationError) -> Cell {
        let cell = try find(id)
        guard isOpen else { throw .closed }
        guard cell.handle.entry.phase == .associated else { throw .notAssociated }
        var known = cell.record.kind
        if let kind { known = try open(kind, for: cell) }
        guard case .none = cell.record.stage else { throw .alreadyAwaited }
        try cell.record.state.renew()
        becomesNext(cell, known, tag, now)
        return cell
    }

    /// As ``renew(_:as:tag:now:)``; nil where anything is unusual.
    @inline(__always)
    func usualRenew(_ id: OperationID, as kind: OperationKind?, tag: UInt64, now: @autoclosure () -> MonotonicInstant) -> Cell? {
        guard let cell = usual(id), let handle = cell.record.handle, handle.entry.phase == .associated else { return nil }
        guard case .completed = cell.record.state, case .none = cell.record.stage else { return nil }
        var known = cell.record.kind
        if let kind {
            guard kind.ledger == number, let open = kinds.open(kind), isFit(open, for: cell) else { return nil }
            known = open
        }
        try? cell.record.state.renew()
        becomesNext(cell, known, tag, now())
        return cell
    }

    @inline(__always)
    private func isFit(_ kind: KindRef, for cell: Cell) -> Bool {
        kind.entry.handle == cell.record.handle && kind.entry.address == cell.record.address
    }

    private func open(_ kind: OperationKind, for cell: Cell) throws(OperationError) -> KindRef {
        guard kind.ledger == number, let known = kinds.open(kind) else { throw .notAssociated }
        if isFit(known, for: cell) { return known }
        guard known.entry.handle == cell.record.handle else {
            trap("An operation was renewed as a kind of another handle. Make a kind for each handle, and use it there.")
        }
        trap("An operation was renewed as a kind that differs in its room for an address. Both kinds need it, or neither.")
    }

    @inline(__always)
    private func becomesNext(_ cell: Cell, _ kind: KindRef?, _ tag: UInt64, _ now: MonotonicInstant) {
        cell.record.generation &+= 1
        cell.record.kind = kind
        makeReady(cell, tag, kind?.entry.bytesOnError ?? cell.record.bytesOnError, now)
    }
}
