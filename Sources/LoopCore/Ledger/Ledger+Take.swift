extension Ledger {
    /// Takes the result; the id is dead from here on, and the outcome owns the memory.
    func take(_ cell: Cell, end: WaitEnd = .finished) throws(OperationError) -> Outcome {
        try claim(cell)
        return Outcome(end, of: cell, in: self)
    }

    /// Takes the result for the time of a call, without an owner for its memory: the caller drops the cell.
    // SAFETY: the bytes lie in the cell.
    func lend(_ cell: Cell) throws(OperationError) -> LentResult {
        try claim(cell)
        return unsafe LentResult(completion: cell.completion, bytes: cell.exposed(cell.record.completion), cell: cell)
    }

    @inline(__always)
    private func claim(_ cell: Cell) throws(OperationError) {
        guard case .none = cell.record.stage else { throw .alreadyAwaited }
        try cell.record.state.take()
        unlink(cell)
        cell.record.generation &+= 1
    }

    /// Takes the facts of a result, and lets its bytes go. The facts are good until the next call.
    // SAFETY: the ledger's own memory; the record may go back to the system with this call.
    func takeFacts(_ cell: Cell) throws(OperationError) -> UnsafePointer<Completion> {
        guard case .none = cell.record.stage else { throw .alreadyAwaited }
        try cell.record.state.free()
        lastFacts.value = cell.record.completion
        release(cell)
        return unsafe UnsafePointer(lastFacts.address)
    }

    /// Retires a completion that nobody wants.
    func free(_ cell: Cell) throws(OperationError) {
        guard case .none = cell.record.stage else { throw .alreadyAwaited }
        try cell.record.state.free()
        close(acquiredBy: cell.record.completion)
        release(cell)
    }
}

/// A result for the time of a call: four words, which are returned in registers.
@safe @usableFromInline struct LentResult {
    @usableFromInline let completion: UnsafePointer<Completion>
    @usableFromInline let bytes: UnsafeRawBufferPointer
    let cell: Cell
}
