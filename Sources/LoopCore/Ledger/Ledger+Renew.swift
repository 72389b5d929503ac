extension Ledger {
    /// Makes of a completed operation the next one of a kind on its handle, in its place: nothing goes through the free list, and no limit
    /// is asked. The record is on the handle's list before and after.
    @inline(never)
    func renew(_ id: OperationID, as kind: OperationKind, tag: UInt64, now: MonotonicInstant) throws(OperationError) -> Cell {
        let cell = try find(id)
        guard isOpen else { throw .closed }
        guard kind.ledger == number, let known = kinds.open(kind) else { throw .notAssociated }
        guard known.entry.handle == cell.handle else { trapForeign() }
        guard known.entry.address == cell.record.address else { trapOtherRoom() }
        guard case .none = cell.record.stage else { throw .alreadyAwaited }
        try cell.record.state.renew()
        becomesNext(cell, known, tag, now)
        return cell
    }

    /// As ``renew(_:as:tag:now:)``, of one without room for an address; nil where anything is unusual.
    @inline(__always)
    func usualRenew(_ id: OperationID, as kind: OperationKind, tag: UInt64, now: @autoclosure () -> MonotonicInstant) -> Cell? {
        guard let cell = usual(id), kind.ledger == number, let known = kinds.open(kind), known.entry.handle == cell.record.handle else {
            return nil
        }
        guard known.entry.address == .none, cell.record.address == .none else { return nil }
        guard case .completed = cell.record.state, case .none = cell.record.stage else { return nil }
        try? cell.record.state.renew()
        becomesNext(cell, known, tag, now())
        return cell
    }

    @inline(__always)
    private func becomesNext(_ cell: Cell, _ kind: KindRef, _ tag: UInt64, _ now: MonotonicInstant) {
        cell.record.generation &+= 1
        cell.record.kind = kind
        makeReady(cell, tag, kind.entry.bytesOnError, now)
    }

    @inline(never)
    private func trapForeign() -> Never {
        trap("An operation was renewed as a kind of another handle. Make a kind for each handle, and use it there.")
    }

    @inline(never)
    private func trapOtherRoom() -> Never {
        trap("An operation was renewed as a kind that differs in its room for an address. Both kinds need it, or neither.")
    }
}
