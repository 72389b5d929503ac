extension Ledger {
    /// Makes of a completed operation the next one on its handle, in its place: nothing goes through the free list, and no limit is asked.
    /// The record is on the handle's list before and after. Without a kind it stays of the one it was of, or of none.
    @inline(__always)
    func renew(_ id: OperationID, as kind: OperationKind?, tag: UInt64, now: MonotonicInstant) throws(OperationError) -> Cell {
        let cell = try find(id)
        guard isOpen else { throw .closed }
        guard cell.handle.entry.phase == .associated else { throw .notAssociated }
        var known = cell.record.kind
        if let kind { known = try open(kind, for: cell) }
        guard case .none = cell.record.stage else { throw .alreadyAwaited }
        try cell.record.state.renew()
        cell.record.generation &+= 1
        cell.record.kind = known
        makeReady(cell, tag, known?.entry.bytesOnError ?? cell.record.bytesOnError, now)
        return cell
    }

    @inline(__always)
    private func open(_ kind: OperationKind, for cell: Cell) throws(OperationError) -> KindRef {
        guard kind.ledger == number, let known = kinds.open(kind) else { throw .notAssociated }
        guard known.entry.handle == cell.record.handle else { Ledger.trapForeignKind() }
        guard known.entry.address == cell.record.address else { Ledger.trapOtherRoom() }
        return known
    }

    @inline(never)
    private static func trapForeignKind() -> Never {
        trap("An operation was renewed as a kind of another handle. Make a kind for each handle, and use it there.")
    }

    @inline(never)
    private static func trapOtherRoom() -> Never {
        trap("An operation was renewed as a kind that differs in its room for an address. Both kinds need it, or neither.")
    }
}
