extension Ledger {
    /// The native call owes one packet.
    @inline(__always)
    func submitted(_ cell: Cell, _ flow: ByteFlow) throws(OperationError) {
        try cell.record.state.submit()
        cell.record.flow = flow
        counts.submitted += 1
        handles[cell.record.key.slot].entry.submitted += 1
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
        let submission = verb(port, request(cell, inline: inline))
        switch submission {
        case .owesPacket: try submitted(cell, flow)
        case .completed(let completion): try completeInline(cell, completion, flow)
        case .refused: try abandon(cell)
        }
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
