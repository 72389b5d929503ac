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
        let retiring = handles[handle.key.slot]
        retiring.entry.phase = .retiring
        retiring.entry.retireWait = RetireWait(waiter: waiter)
        closeKinds(of: retiring)
        guard retiring.entry.submitted > 0 else { return finishRetire(retiring) }
        forEachRecord(on: retiring) { cell in
            if case .submitted = cell.record.state, (try? cell.record.state.requestCancel()) != nil { _ = askPort(cell) }
        }
    }

    /// The driver had its time: what is still submitted is orphaned. With the last one the handle is the caller's.
    func retireGraceRanOut(_ slot: UInt32, now: MonotonicInstant) {
        forEachRecord(on: handles[slot]) { cell in
            if case .submitted = cell.record.state { giveUp(cell, now: now) }
        }
    }

    /// Orphans a submitted operation and hands its waiter what is known of it.
    func giveUp(_ cell: Cell, now: MonotonicInstant) {
        let stuck = StuckOperation(
            handle: cell.handle.entry.native, tag: cell.record.tag, ageNanoseconds: now.nanoseconds(since: cell.record.preparedAt),
            cause: cell.record.stage.cause)
        // Told before the retire that this may finish.
        let timer = cell.record.waiting.timer
        if let waiter = cell.record.takeWaiter() { notices.append(.stuck(waiter, id(of: cell), stuck, timer: timer)) }
        detach(cell)
    }

    /// Nothing is submitted on the handle any more: the port forgets it, and whoever asked is told.
    func finishRetire(_ handle: HandleRef) {
        guard handle.entry.phase == .retiring else { trap("Only a handle that is retiring can finish to.") }
        handle.entry.phase = .retired
        let wait = handle.entry.retireWait.take()
        port.dissociate(handle.entry.native, as: handle.entry.key)
        notices.append(.retired(wait?.waiter, RetireReport(stuck: handle.entry.orphans), grace: wait?.grace))
        if handle.entry.operations == 0 { vacate(handle) }
    }

    /// No record names the association any more.
    func vacate(_ handle: HandleRef) {
        dropKinds(of: handle)
        handles.vacate(handle.entry.key.slot)
    }

    /// The records of a handle. The body may take the one it is given off the list, and no other.
    func forEachRecord(on handle: HandleRef, _ body: (Cell) -> Void) {
        var next = handle.entry.first
        while let cell = next {
            next = cell.record.next
            body(cell)
        }
    }
}
