extension Ledger {
    /// The native call owes one packet.
    func submitted(_ cell: Cell, _ flow: ByteFlow) throws(OperationError) {
        try cell.record.state.submit()
        let handle = cell.handle
        handle.entry.submitted &+= 1
        entersFlight(cell, handle, flow)
    }

    @inline(__always)
    private func entersFlight(_ cell: Cell, _ handle: HandleRef, _ flow: ByteFlow) {
        cell.record.flow = flow
        cell.record.beginWaitForKind()
        counts.submitted &+= 1
        if handle.entry.phase != .associated { endLikeItsSiblings(cell) }
    }

    /// The handle was retired between the preparation and the submission.
    @inline(never)
    private func endLikeItsSiblings(_ cell: Cell) {
        if (try? cell.record.state.requestCancel()) != nil { _ = askPort(cell) }
    }

    /// No native call owes anything.
    func abandon(_ cell: Cell) throws(OperationError) {
        try cell.record.state.abandon()
        release(cell)
    }

    /// The result is here and no packet will come: the kernel never saw the control block.
    func completeInline(_ cell: Cell, _ completion: Completion, _ flow: ByteFlow) throws(OperationError) {
        try cell.record.state.complete()
        cell.record.completion = completion
        cell.record.flow = flow
        counts.inlineCompletions &+= 1
    }

    /// Starts the operation through one of the port's verbs, which answers what it owes.
    @inline(__always)
    func submit(
        _ cell: Cell, _ flow: ByteFlow, inline: InlineCompletion, _ verb: (any CompletionPort, PortRequest) -> Submission
    ) throws(OperationError) -> Submission {
        guard case .prepared = cell.record.state else { throw cell.record.state.refusal(expected: .prepared) }
        let handle = cell.handle
        guard handle.entry.phase == .associated else { throw .notAssociated }
        // Counted before the call: it may retire the handle, which must then wait for what the call has started.
        handle.entry.submitted &+= 1
        let submission = verb(port, request(cell, inline: inline))
        if case .owesPacket = submission {
            try cell.record.state.submit()
            entersFlight(cell, handle, flow)
            return submission
        }
        oneLess(on: handle)
        if case .completed(let completion) = submission { try completeInline(cell, completion, flow) } else { try abandon(cell) }
        return submission
    }

    /// Asks for an operation to end early. False where it is done already, or where the system refuses: that is counted, not thrown.
    func cancel(_ cell: Cell) throws(OperationError) -> Bool {
        switch try cell.record.state.requestCancel() {
        case .nothingLeftToCancel: return false
        case .askPort: return askPort(cell)
        }
    }

    func askPort(_ cell: Cell) -> Bool {
        guard case .driver = cell.record.completer else { return endRemote(cell) }
        switch port.cancel(request(cell)) {
        case .requested: return true
        case .notFound: return false
        case .refused:
            counts.refusedCancels &+= 1
            return false
        }
    }

    /// Nobody has to be heard for it to end: the ledger sends its packet, once.
    // SAFETY: the record is submitted, so its block is the one the ledger will look for.
    private func endRemote(_ cell: Cell) -> Bool {
        guard cell.record.completer == .whoeverIsFirst else { return false }
        cell.record.completer = .nobodyAnyMore
        unsafe port.post(cell.block, port.abortedCompletion)
        return true
    }
}
