extension Operations {
    /// Starts one operation and calls `completed` when it has ended: the seam's high level for code without tasks.
    ///
    /// `completed` is never called from here, and always called if this does not throw; it takes the result with ``result(_:)`` or
    /// ``withResult(_:_:)`` unless the end is ``WaitEnd/stuck(_:)``.
    @discardableResult
    public func perform(
        on handle: AssociatedHandle, capacity: Int = 0, tag: UInt64 = 0, timeout: Duration? = nil, address: AddressRoom = .none,
        file: StaticString = #fileID, line: UInt = #line, _ body: (consuming PreparedOp) -> Decision,
        completed: @escaping (OperationID, WaitEnd) -> Void
    ) throws(OperationError) -> OperationID {
        let (id, _) = try start(handle, capacity, tag, address, SourcePlace(file: file, line: line), inline: .never, body)
        try onCompletion(id, timeout: timeout, completed)
        return id
    }

    /// Prepares, lets the body decide, and says whether the result is there already.
    @inline(__always)
    func start(
        _ handle: AssociatedHandle, _ capacity: Int, _ tag: UInt64, _ address: AddressRoom, _ place: SourcePlace,
        inline: InlineCompletion, _ body: (consuming PreparedOp) -> Decision
    ) throws(OperationError) -> (OperationID, Bool) {
        let cell = try prepared(handle, capacity, tag, address, place)
        let id = ledger.id(of: cell)
        let decision = body(PreparedOp(self, cell, inline: core.mayCompleteInline ? inline : .never))
        guard decision.id == id else { trapForeignDecision() }
        switch decision.outcome {
        case .owesPacket: return (id, false)
        case .completed:
            core.inlineCompletions += 1
            return (id, true)
        case .refused(let error): throw error
        }
    }

    /// Once for all who start an operation: what is executed for each should be in the processor's nearest memory once.
    @inline(never)
    private func prepared(
        _ handle: AssociatedHandle, _ capacity: Int, _ tag: UInt64, _ address: AddressRoom, _ place: SourcePlace
    ) throws(OperationError) -> Cell {
        if address == .none, let cell = ledger.usualPrepare(handle, capacity: capacity, tag: tag, place, now: core.present) { return cell }
        return try preparedOutOfLine(handle, capacity, tag, address, place)
    }

    @inline(never)
    private func preparedOutOfLine(
        _ handle: AssociatedHandle, _ capacity: Int, _ tag: UInt64, _ address: AddressRoom, _ place: SourcePlace
    ) throws(OperationError) -> Cell {
        try ledger.prepare(
            handle, capacity: capacity, tag: tag, OperationOptions(address: address, place: place), now: core.present)
    }

    @inline(never)
    private func trapForeignDecision() -> Never {
        trap("A function returned the decision of another operation than the one it was lent.")
    }
}

extension Core {
    /// Work that is done at once may skip the queue, but not for a whole turn: a task whose operations never suspend starves the others.
    var mayCompleteInline: Bool { inlineCompletions < limits.inlineCompletionsMax }
}
