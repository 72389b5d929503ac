extension Ledger {
    /// Takes the result; the id is dead from here on, and the outcome owns the memory.
    func take(_ cell: Cell, end: WaitEnd = .finished) throws(OperationError) -> Outcome {
        let completion = try claim(cell)
        return Outcome(completion, end, of: cell, in: self)
    }

    /// Takes the result for the time of a call, without an owner for its memory: the caller drops the cell.
    // SAFETY: the bytes lie in the cell.
    @inline(__always)
    func lend(_ cell: Cell) throws(OperationError) -> LentResult {
        let completion = try claim(cell)
        return unsafe LentResult(completion: completion, bytes: cell.exposed(completion), cell: cell)
    }

    @inline(__always)
    private func claim(_ cell: Cell) throws(OperationError) -> Completion {
        guard case .none = cell.record.waiting.stage else { throw .alreadyAwaited }
        try cell.record.state.take()
        unlink(cell)
        cell.record.generation &+= 1
        return cell.record.completion
    }

    /// Gives a taken record back.
    @inline(__always)
    func drop(_ cell: Cell) {
        cell.record.state.drop()
        slab.giveBack(cell)
    }

    /// Retires a completion that nobody wants.
    func free(_ cell: Cell) throws(OperationError) {
        guard case .none = cell.record.waiting.stage else { throw .alreadyAwaited }
        try cell.record.state.free()
        close(acquiredBy: cell.record.completion)
        release(cell)
    }
}

/// A result for the time of a call.
@safe @usableFromInline struct LentResult {
    @usableFromInline let completion: Completion
    @usableFromInline let bytes: UnsafeRawBufferPointer
    let cell: Cell
}
