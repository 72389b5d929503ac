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
