extension Core {
    /// Enters the one waiter of an operation, with a deadline if it has one. It is told in a later phase, never from here.
    func wait(_ cell: Cell, _ waiter: Waiter, timeoutNanoseconds: UInt64?) throws(OperationError) {
        guard case .none = cell.record.waiting else { throw .alreadyAwaited }
        switch cell.record.state {
        case .submitted:
            let id = ledger.id(of: cell)
            let deadline = timeoutNanoseconds.map { timers.insert(port.now().advanced(by: $0), .deadline(id)) }
            cell.record.waiting = .waiting(waiter, deadline: deadline)
        case .completed:
            cell.record.waiting = .waiting(waiter, deadline: nil)
            ledger.resumptions.append(.completed(ledger.id(of: cell)))
        case .free, .prepared, .taken, .orphaned:
            throw .wrongState(expected: .submitted, found: cell.record.state.phase)
        }
    }

    /// A deadline passed or a task was cancelled: asks the operation to end, and gives its packet until the grace.
    func end(_ id: OperationID, _ cause: EndCause) {
        // The packet may have come first, and its result may have been taken: then there is nothing to end.
        guard let cell = ledger.slab.find(id.index, generation: id.generation), id.ledger == ledger.number else { return }
        guard case .submitted = cell.record.state, case .waiting(let waiter, let deadline) = cell.record.waiting else { return }
        if let deadline { _ = timers.cancel(deadline) }
        let grace = timers.insert(port.now().advanced(by: limits.cancelGraceNanoseconds), .grace(id))
        cell.record.waiting = .ending(waiter, cause, grace: grace)
        if case .some(.askPort) = try? cell.record.state.requestCancel() { _ = ledger.askPort(cell) }
    }

    /// The grace after a cancel ran out: the driver is stuck, the waiter is not.
    func giveUp(_ id: OperationID) {
        guard let cell = ledger.slab.find(id.index, generation: id.generation) else { return }
        guard case .submitted = cell.record.state else { return }
        ledger.giveUp(cell, now: now)
    }

    /// Tells everybody whom the last settling concerns. Their code may do anything to the loop but turn it.
    func resumeSettled() {
        while let resumption = ledger.resumptions.popFirst() {
            switch resumption {
            case .completed(let id): resume(id)
            case .stuck(let waiter, let id, let operation): tell(waiter, id, .stuck(operation))
            case .retired(let waiter, let report, let grace):
                if let grace { _ = timers.cancel(grace) }
                waiter?(report)
            }
        }
    }

    private func resume(_ id: OperationID) {
        // A sibling that was resumed before may have ended the loop; a waiter that is still there is told all the same.
        guard let cell = ledger.slab.find(id.index, generation: id.generation) else { return }
        guard case .completed(let completion) = cell.record.state else { return }
        let waiting = cell.record.waiting
        cell.record.waiting = .none
        switch waiting {
        case .none: break  // Told already: a waiter that came after the packet is queued once more by its own wait.
        case .waiting(let waiter, let deadline):
            if let deadline { _ = timers.cancel(deadline) }
            tell(waiter, id, .finished)
        case .ending(let waiter, let cause, let grace):
            _ = timers.cancel(grace)
            tell(waiter, id, cell.end(completion, cause))
        }
    }

    @inline(__always)
    private func tell(_ waiter: Waiter, _ id: OperationID, _ end: WaitEnd) {
        switch waiter {
        case .callback(let call): call(id, end)
        case .task(let task): task.resume(end)
        }
    }
}

extension Cell {
    /// What a wait that asked for the end got. The packet alone decides (clause C3): only one that says "aborted", with no bytes to show
    /// for it, is a timeout or a cancellation.
    func end(_ completion: Completion, _ cause: EndCause) -> WaitEnd {
        guard completion.severity == .aborted else { return .finished }
        guard unsafe exposed(completion).isEmpty else { return .finished }
        switch cause {
        case .timedOut: return .timedOut
        case .cancelled: return .cancelled
        }
    }
}
