extension Ledger {
    /// Takes the result; the id is dead from here on, and the outcome owns the memory.
    func take(_ cell: Cell, end: WaitEnd = .finished) throws(OperationError) -> Outcome {
        let completion = try claim(cell)
        return Outcome(completion, end, of: cell, in: self)
    }

    /// Takes the result for the time of a call, without an owner for its memory.
    // SAFETY: the bytes lie in the cell, which is dropped after the call.
    @inline(__always)
    func take<R: ~Copyable>(_ cell: Cell, _ body: (Completion, RawSpan) -> R) throws(OperationError) -> R {
        let completion = try claim(cell)
        defer { drop(cell) }
        return body(completion, unsafe RawSpan(_unsafeBytes: cell.exposed(completion)))
    }

    @inline(__always)
    private func claim(_ cell: Cell) throws(OperationError) -> Completion {
        guard case .none = cell.record.waiting else { throw .alreadyAwaited }
        let completion = try cell.record.state.take()
        counts.completed -= 1
        unlink(cell)
        cell.record.generation &+= 1
        return completion
    }

    /// Gives a taken record back.
    @inline(__always)
    func drop(_ cell: Cell) {
        cell.record.state.drop()
        slab.giveBack(cell)
    }

    /// Retires a completion that nobody wants.
    func free(_ cell: Cell) throws(OperationError) {
        guard case .none = cell.record.waiting else { throw .alreadyAwaited }
        let completion = try cell.record.state.free()
        counts.completed -= 1
        close(acquiredBy: completion)
        release(cell)
    }
}
