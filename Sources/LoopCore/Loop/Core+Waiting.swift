extension Core {
    /// Enters the one waiter of an operation, with a deadline if it has one. It is told in a later phase, never from here.
    @inline(__always)
    func wait(_ cell: Cell, _ waiter: consuming Waiter, timeoutNanoseconds: UInt64?) throws(OperationError) {
        enter(cell, waiter, try checkCanWait(cell), timeoutNanoseconds)
    }

    /// As ``wait(_:_:timeoutNanoseconds:)``, where it has been asked what the wait is for. A task is entered when it has been suspended.
    @inline(__always)
    func enter(_ cell: Cell, _ waiter: consuming Waiter?, _ awaited: Awaited, _ timeoutNanoseconds: UInt64?) {
        switch awaited {
        case .packet(.notAsked):
            var deadline: TimerID?
            if let timeoutNanoseconds { deadline = startDeadline(cell, timeoutNanoseconds) }
            cell.record.beginWait(waiter, deadline: deadline)
        case .packet(.asked):
            // Its cancel may go unheard: no deadline is needed to bound the wait.
            cell.record.beginWait(waiter, deadline: nil)
            startGrace(cell, .cancelled)
        case .itsTurn:
            cell.record.beginWait(waiter, deadline: nil)
            ledger.settled.append(cell)
        }
    }

    /// What a wait that begins now would be for. Throws everything that it may be refused for: an await asks before there is a continuation
    /// that would have to be resumed.
    @discardableResult
    @inline(__always)
    func checkCanWait(_ cell: Cell) throws(OperationError) -> Awaited {
        guard case .none = cell.record.stage else { throw .alreadyAwaited }
        switch cell.record.state {
        case .submitted(let progress): return .packet(progress)
        case .completed: return .itsTurn
        case .free, .prepared, .taken, .orphaned: throw cell.record.state.refusal(expected: .submitted)
        }
    }

    @inline(never)
    private func startDeadline(_ cell: Cell, _ nanoseconds: UInt64) -> TimerID {
        timers.insert(port.now().advanced(by: nanoseconds), .deadline(ledger.id(of: cell)))
    }

    /// A deadline passed or a task was cancelled: asks the operation to end, and gives its packet until the grace.
    func end(_ id: OperationID, _ cause: EndCause) {
        // The packet may have come first, and its result may have been taken: then there is nothing to end.
        guard let cell = ledger.slab.find(id.index, generation: id.generation), id.ledger == ledger.number else { return }
        guard case .submitted = cell.record.state, cell.record.stage.isWaiting else { return }
        startGrace(cell, cause)
        _ = try? ledger.cancel(cell)
    }

    /// Asks an operation to end. Whoever waits for it does so for the grace at most: from here on, or from the request that was first.
    func cancel(_ cell: Cell) throws(OperationError) -> Bool {
        if case .submitted = cell.record.state, cell.record.stage.isWaiting { startGrace(cell, .cancelled) }
        return try ledger.cancel(cell)
    }

    /// The packet of an operation that somebody waits for has until the grace, whether the driver heard the cancel or not.
    @inline(never)
    private func startGrace(_ cell: Cell, _ cause: EndCause) {
        if let deadline = cell.record.waiting.timer { _ = timers.cancel(deadline) }
        let bound = port.now().advanced(by: limits.cancelGraceNanoseconds)
        cell.record.endWait(cause, grace: timers.insert(bound, .grace(ledger.id(of: cell), .running)))
    }

    /// The grace after a cancel ran out: the driver is stuck, the waiter is not.
    func giveUp(_ id: OperationID) {
        guard let cell = ledger.slab.find(id.index, generation: id.generation) else { return }
        guard case .submitted = cell.record.state else { return }
        ledger.giveUp(cell, now: present)
    }

    /// The grace goes on until the port has been asked once more.
    func moveGrace(_ id: OperationID, to timer: TimerID) {
        guard let cell = ledger.slab.find(id.index, generation: id.generation) else {
            _ = timers.cancel(timer)
            return
        }
        cell.record.prolongWait(timer)
    }

    /// Tells everybody whom the last settling concerns. Their code may do anything to the loop but turn it.
    ///
    /// What they settle at once in turn is told in the next phase: a chain of them must not keep the loop from the port.
    @inline(__always)
    func tellSettled() { if !ledger.hasToldEverybody { tellThoseWhoWait() } }

    @inline(never)
    private func tellThoseWhoWait() {
        var left = ledger.settled.count
        calls &+= UInt64(left)
        while left > 0, let cell = ledger.settled.popFirst() {
            left -= 1
            resume(cell)
        }
        left = ledger.notices.count
        while left > 0, let notice = ledger.notices.popFirst() {
            left -= 1
            tell(notice)
        }
    }

    private func tell(_ notice: Notice) {
        switch notice {
        case .stuck(let waiter, let id, let operation, let timer):
            if let timer { _ = timers.cancel(timer) }
            calls &+= 1
            tell(waiter, id, .stuck(operation))
        case .retired(let waiter, let report, let grace):
            if let grace { _ = timers.cancel(grace) }
            calls &+= 1
            waiter?(report)
        case .dropped: break  // They go with the notice.
        }
    }

    /// Most waits are a kind's, and end in one call.
    @inline(__always)
    private func resume(_ cell: Cell) {
        guard case .waitingForKind = cell.record.stage, let kind = cell.record.kind else { return resumeWaiter(cell) }
        cell.record.endWaitForKind()
        tell(kind, cell, .finished)
    }

    @inline(__always)
    private func tell(_ kind: KindRef, _ cell: Cell, _ end: WaitEnd) {
        kind.withSink { sink in
            if sink.handsOver { handOver(cell, to: sink) } else { sink.call(ledger.id(of: cell), end) }
        }
    }

    /// The operation ends before its function is called, which may begin the next in the same place.
    @inline(__always)
    private func handOver(_ cell: Cell, to sink: Sink) {
        let tag = cell.record.tag
        // SAFETY: the completion is copied before anything else is called.
        if let found = unsafe ledger.usualTakeFacts(cell) { return sink.facts(tag, unsafe found.pointee) }
        sink.facts(tag, takenFacts(cell))
    }

    @inline(never)
    private func takenFacts(_ cell: Cell) -> Completion {
        // SAFETY: as above.
        do { return unsafe try ledger.takeFacts(cell).pointee } catch {
            trap("An operation that has been settled has no facts: \(error). This is a bug of Portloop.")
        }
    }

    private func resumeWaiter(_ cell: Cell) {
        if let timer = cell.record.waiting.timer { _ = timers.cancel(timer) }
        let stage = cell.record.stage
        guard let waiter = cell.record.takeWaiter() else {
            trap("A record waits to be told, and nobody waits for it. This is a bug of Portloop.")
        }
        let end =
            switch stage {
            case .none, .waiting, .waitingForKind: WaitEnd.finished
            case .ending(let cause): cell.end(cell.record.completion, cause)
            }
        if case .kind(let kind) = waiter { tell(kind, cell, end) } else { tell(waiter, ledger.id(of: cell), end) }
    }

    @inline(__always)
    private func tell(_ waiter: Waiter, _ id: OperationID, _ end: WaitEnd) {
        switch waiter {
        case .callback(let call): call(id, end)
        case .task(let task): resume(task, id, end)
        case .kind(let kind): kind.withSink { $0.call(id, end) }
        }
    }
}

/// What a wait is for.
enum Awaited {
    /// The operation is under way.
    case packet(CancelProgress)
    /// It has completed, and its waiter is told when everybody else is.
    case itsTurn
}

extension Cell {
    /// What a wait that asked for the end got. The packet alone decides (clause C3): only one that says "aborted", with no bytes to show
    /// for it, is a timeout or a cancellation.
    // SAFETY: the bytes are counted, not read.
    func end(_ completion: Completion, _ cause: EndCause) -> WaitEnd {
        guard completion.severity == .aborted else { return .finished }
        guard unsafe exposed(completion).isEmpty else { return .finished }
        switch cause {
        case .timedOut: return .timedOut
        case .cancelled: return .cancelled
        }
    }
}
