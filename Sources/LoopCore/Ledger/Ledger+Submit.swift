extension Ledger {
    /// The native call owes one packet.
    @inline(__always)
    func submitted(_ cell: Cell, _ flow: ByteFlow) throws(OperationError) {
        try cell.record.state.submit()
        handles[cell.record.key.slot].entry.submitted += 1
        entersFlight(cell, flow)
    }

    @inline(__always)
    private func entersFlight(_ cell: Cell, _ flow: ByteFlow) {
        cell.record.flow = flow
        counts.submitted += 1
        // The handle was retired between the preparation and here: the operation is asked to end like its siblings.
        if handles[cell.record.key.slot].entry.phase != .associated, (try? cell.record.state.requestCancel()) != nil { _ = askPort(cell) }
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
        guard case .prepared = cell.record.state else { throw .wrongState(expected: .prepared, found: cell.record.state.phase) }
        guard handles.associated(cell.record.key) != nil else { throw .notAssociated }
        // Counted before the call: it may retire the handle, which must then wait for what the call has started.
        handles[cell.record.key.slot].entry.submitted += 1
        let submission = verb(port, request(cell, inline: inline))
        if case .owesPacket = submission {
            try cell.record.state.submit()
            entersFlight(cell, flow)
            return submission
        }
        oneLess(on: cell.record.key.slot)
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
        switch port.cancel(request(cell)) {
        case .requested: return true
        case .notFound: return false
        case .refused:
            counts.refusedCancels &+= 1
            return false
        }
    }
}
