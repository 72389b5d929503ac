extension Operations {
    /// Says once what repeated operations on a handle have in common, and who is told of each that was submitted: the cheapest way to
    /// begin and to end an operation, at about a third of what the same costs with a function for each.
    ///
    /// ```swift
    /// let reads = try ops.kind(on: handle) { id, end in print(id, end) }
    /// let read = try ops.prepare(reads, capacity: 4096)
    /// try ops.read(read.id)
    /// ```
    ///
    /// `completed` is called as the function of ``onCompletion(_:timeout:_:)`` is: once for each operation that was submitted, from a phase
    /// of the loop. An operation that finished inline is its caller's at once, and nobody is told of it. The loop keeps the function until
    /// the handle has been retired and has no operation left, or until its shutdown.
    public func kind(
        on handle: AssociatedHandle, address: AddressRoom = .none, bytesOnError: BytesOnError = .withheld, file: StaticString = #fileID,
        line: UInt = #line, _ completed: @escaping (OperationID, WaitEnd) -> Void
    ) throws(OperationError) -> OperationKind {
        let options = OperationOptions(address: address, bytesOnError: bytesOnError, place: SourcePlace(file: file, line: line))
        return try ledger.makeKind(handle, options, Sink(completed))
    }

    /// As ``kind(on:address:bytesOnError:file:line:_:)``, for operations whose bytes nobody wants when they end: writes, waits, connects.
    ///
    /// ```swift
    /// let writes = try ops.kind(on: handle) { tag, facts in print(tag, facts.count) } stuck: { operation in print(operation.tag) }
    /// ```
    ///
    /// The loop ends each by itself and hands over the tag it was prepared with and what its packet said, be it that it was cancelled. Its
    /// id is dead by then, and its memory the next operation's. `stuck` is called instead for one that a driver does not give back within
    /// the grace after a cancel.
    public func kind(
        on handle: AssociatedHandle, address: AddressRoom = .none, file: StaticString = #fileID, line: UInt = #line,
        facts: @escaping (_ tag: UInt64, Completion) -> Void, stuck: @escaping (StuckOperation) -> Void
    ) throws(OperationError) -> OperationKind {
        let options = OperationOptions(address: address, bytesOnError: .withheld, place: SourcePlace(file: file, line: line))
        return try ledger.makeKind(handle, options, Sink(facts: facts, stuck: stuck))
    }

    /// Takes memory for one operation of a kind, as ``prepare(_:tag:capacity:address:bytesOnError:file:line:)`` does.
    // SAFETY: as there.
    public func prepare(_ kind: OperationKind, tag: UInt64 = 0, capacity: Int = 0) throws(OperationError) -> PreparedMemory {
        guard core.isClockRead, let cell = ledger.usualPrepare(kind, capacity: capacity, tag: tag, now: core.now) else {
            return unsafe try prepareOutOfLine(kind, tag, capacity)
        }
        return unsafe memory(of: cell)
    }

    // SAFETY: as there.
    @inline(never)
    private func prepareOutOfLine(_ kind: OperationKind, _ tag: UInt64, _ capacity: Int) throws(OperationError) -> PreparedMemory {
        unsafe memory(of: try ledger.prepare(kind, capacity: capacity, tag: tag, now: core.present))
    }

    // SAFETY: the cell is prepared, and its memory is what the caller was promised.
    @inline(__always)
    func memory(of cell: Cell) -> PreparedMemory {
        unsafe PreparedMemory(
            id: ledger.id(of: cell), controlBlock: cell.block, bufferOffset: cell.bufferOffset, capacity: Int(cell.record.capacity))
    }
}
