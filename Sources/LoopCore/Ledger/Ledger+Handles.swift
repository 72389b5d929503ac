extension Ledger {
    /// Binds a handle to the port and opens a generation for it.
    func associate(_ native: NativeHandle, _ options: AssociationOptions) throws(AssociationError) -> AssociatedHandle {
        guard isOpen else { throw .closed }
        guard handles.openCount < limits.handlesMax else { throw .tooMany(limit: limits.handlesMax) }
        let key = handles.open(native)
        do {
            try port.associate(native, as: key, options: options)
        } catch {
            handles.vacate(key.slot)
            throw error
        }
        return AssociatedHandle(native: native, key: key, ledger: number)
    }

    /// Whether the handle takes operations: associated here and not retired.
    func isAssociated(_ handle: AssociatedHandle) -> Bool { handle.ledger == number && handles.associated(handle.key) != nil }

    /// Refuses new operations and asks every submitted one to end. The waiter is told, through ``notices``, when none is left.
    func beginRetire(_ handle: AssociatedHandle, _ waiter: RetireWaiter?) throws(OperationError) {
        guard isAssociated(handle) else { throw .notAssociated }
        let slot = handle.key.slot
        handles[slot].entry.phase = .retiring
        handles[slot].entry.retireWait = RetireWait(waiter: waiter)
        guard handles[slot].entry.submitted > 0 else { return finishRetire(slot) }
        forEachRecord(on: slot) { cell in
            if case .submitted = cell.record.state, (try? cell.record.state.requestCancel()) != nil { _ = askPort(cell) }
        }
    }

    /// The driver had its time: what is still submitted is orphaned. With the last one the handle is the caller's.
    func retireGraceRanOut(_ slot: UInt32, now: MonotonicInstant) {
        forEachRecord(on: slot) { cell in
            if case .submitted = cell.record.state { giveUp(cell, now: now) }
        }
    }

    /// Orphans a submitted operation and hands its waiter what is known of it.
    func giveUp(_ cell: Cell, now: MonotonicInstant) {
        let stuck = StuckOperation(
            handle: cell.record.native, tag: cell.record.tag, ageNanoseconds: now.nanoseconds(since: cell.record.preparedAt))
        // Told before the retire that this may finish.
        let timer = cell.record.waiting.timer
        if let waiter = cell.record.waiting.take() { notices.append(.stuck(waiter, id(of: cell), stuck, timer: timer)) }
        detach(cell)
    }

    /// Nothing is submitted on the handle any more: the port forgets it, and whoever asked is told.
    func finishRetire(_ slot: UInt32) {
        guard handles[slot].entry.phase == .retiring else { trap("Only a handle that is retiring can finish to.") }
        handles[slot].entry.phase = .retired
        let wait = handles[slot].entry.retireWait.take()
        port.dissociate(handles[slot].entry.native, as: HandleKey(slot: slot, generation: handles[slot].entry.generation))
        notices.append(.retired(wait?.waiter, RetireReport(stuck: handles[slot].entry.orphans), grace: wait?.grace))
        if handles[slot].entry.operations == 0 { handles.vacate(slot) }
    }

    /// The records of a handle. The body may take the one it is given off the list, and no other.
    func forEachRecord(on slot: UInt32, _ body: (Cell) -> Void) {
        var index = handles[slot].entry.first
        while index != .none {
            let cell = slab[index]
            index = cell.record.nextOnHandle
            body(cell)
        }
    }
}
