extension Operations {
    /// Takes memory for one operation on an associated handle.
    ///
    /// The control block and the buffer belong to the ledger from here until the packet is dequeued, whatever the caller does (C2).
    // SAFETY: the pointers are valid until the packet; that is this contract.
    public func prepare(
        _ handle: AssociatedHandle, tag: UInt64 = 0, capacity: Int = 0, address: AddressRoom = .none,
        bytesOnError: BytesOnError = .withheld, file: StaticString = #fileID, line: UInt = #line
    ) throws(OperationError) -> PreparedMemory {
        let place = SourcePlace(file: file, line: line)
        if address == .none, bytesOnError == .withheld, core.isClockRead,
            let cell = ledger.usualPrepare(handle, capacity: capacity, tag: tag, place, now: core.now)
        {
            return unsafe memory(of: cell)
        }
        let cell = try ledger.prepare(
            handle, capacity: capacity, tag: tag,
            OperationOptions(address: address, bytesOnError: bytesOnError, place: place), now: core.present)
        return unsafe memory(of: cell)
    }

    /// Says that the native call owes one packet: it returned success, pending, or a warning status.
    ///
    /// Unsafe, because a wrong word here is a use-after-free: ``perform(on:capacity:tag:timeout:file:line:_:)`` cannot get it
    /// wrong.
    @unsafe public func submitted(_ id: OperationID) throws(OperationError) {
        guard ledger.usualSubmitted(ledger.usual(id), .received) else { return try submittedOutOfLine(id) }
    }

    /// As ``submitted(_:)``, by what ``prepare(_:tag:capacity:)`` returned: the record need not be looked up.
    // SAFETY: as there.
    @unsafe public func submitted(_ memory: PreparedMemory) throws(OperationError) {
        guard unsafe ledger.usualSubmitted(ledger.usual(memory), .received) else { return unsafe try submittedOutOfLine(memory.id) }
    }

    @inline(never)
    private func submittedOutOfLine(_ id: OperationID) throws(OperationError) { try ledger.submitted(ledger.find(id), .received) }

    /// Says that the native call failed with an error status, or was not made: no packet is owed, and the id is dead.
    ///
    /// Unsafe for the reason that ``submitted(_:)`` is.
    @unsafe public func abandon(_ id: OperationID) throws(OperationError) { try ledger.abandon(ledger.find(id)) }

    /// Asks for an operation to end early. True if the request went out; false if the operation has completed already, or if the system
    /// refuses, which is counted. It frees nothing: the packet decides (C3).
    ///
    /// Whoever waits for the packet, from now or from later on, waits no longer than the grace (C8): the end is ``WaitEnd/cancelled`` if
    /// the packet says so, ``WaitEnd/finished`` if the work was done first, and ``WaitEnd/stuck(_:)`` if no packet comes, also where the
    /// system refused. A second call asks again, and does not prolong the grace.
    public func cancel(_ id: OperationID) throws(OperationError) -> Bool { try core.cancel(ledger.find(id)) }

    /// Where the operation is in its life.
    public func state(_ id: OperationID) throws(OperationError) -> OperationPhase { try ledger.find(id).record.state.phase }

    /// Takes a completed operation's result. The id is dead afterwards; the outcome owns the bytes until it is dropped.
    public func result(_ id: OperationID) throws(OperationError) -> Outcome {
        if let outcome = ledger.usualTake(id) { return outcome }
        return try resultOutOfLine(id)
    }

    @inline(never)
    private func resultOutOfLine(_ id: OperationID) throws(OperationError) -> Outcome { try ledger.take(ledger.find(id)) }

    /// Takes a completed operation's result for the time of a call: the cheapest way, nothing is retained. The id is dead afterwards.
    // SAFETY: the span cannot outlive the call, and the cell is given back after it.
    @inlinable
    public func withResult<R: ~Copyable>(_ id: OperationID, _ body: (Completion, RawSpan) -> R) throws(OperationError) -> R {
        let lent = try lend(id)
        defer { takeBack(lent) }
        return unsafe body(lent.completion.pointee, RawSpan(_unsafeBytes: lent.bytes))
    }

    @usableFromInline
    func lend(_ id: OperationID) throws(OperationError) -> LentResult {
        guard let lent = ledger.usualLend(id) else { return try lendOutOfLine(id) }
        return lent
    }

    @inline(never)
    private func lendOutOfLine(_ id: OperationID) throws(OperationError) -> LentResult { try ledger.lend(ledger.find(id)) }

    @usableFromInline
    func takeBack(_ lent: LentResult) { ledger.slab.drop(lent.cell) }

    /// Takes what a completed operation's packet said, and lets its bytes go: for writes, waits and the like. The id is dead afterwards.
    // SAFETY: the completion is copied before anything else is called.
    @inlinable
    public func takeFacts(_ id: OperationID) throws(OperationError) -> Completion { unsafe try lendFacts(id).pointee }

    // SAFETY: as above.
    @usableFromInline
    func lendFacts(_ id: OperationID) throws(OperationError) -> UnsafePointer<Completion> {
        guard let facts = unsafe ledger.usualTakeFacts(ledger.usual(id)) else { return unsafe try lendFactsOutOfLine(id) }
        return unsafe facts
    }

    // SAFETY: as above.
    @inline(never)
    private func lendFactsOutOfLine(_ id: OperationID) throws(OperationError) -> UnsafePointer<Completion> {
        unsafe try ledger.takeFacts(ledger.find(id))
    }

    /// Retires a completion that nobody wants. The id is dead afterwards.
    public func free(_ id: OperationID) throws(OperationError) { try ledger.free(ledger.find(id)) }

    /// Calls a function once when the operation has completed, or has been given up on, from a phase of the loop in which everything of
    /// the loop may be used. At most one waiter for each operation.
    ///
    /// With a timeout the operation is cancelled when it passes; its packet, or the grace after the cancel, then ends the wait (C8). For an
    /// operation that has been asked to end already the grace begins here. After ``WaitEnd/stuck(_:)`` the id is dead; after any other end
    /// the result is there to be taken.
    public func onCompletion(
        _ id: OperationID, timeout: Duration? = nil, _ call: @escaping (OperationID, WaitEnd) -> Void
    ) throws(OperationError) {
        try core.wait(ledger.find(id), .callback(call), timeoutNanoseconds: timeout?.wholeNanoseconds)
    }

    /// Asks the wait for an operation to end, as the cancellation of a waiting task does: looked at in a phase of the turn, followed by a
    /// cancel, bounded by the grace. Nothing if nobody waits.
    public func cancelWait(_ id: OperationID) {
        guard id.ledger == ledger.number, let cell = ledger.slab.find(id.index, generation: id.generation) else { return }
        if case .none = cell.record.stage { return }
        core.postedCancels.append(id)
    }

    /// Queues a packet for an address, as a stranger or a broken driver would: for tests of clause C6.
    // SAFETY: the port may write its links to the block, as it may to any block of an operation.
    package func forgePacket(_ block: UnsafeMutableRawPointer, _ completion: Completion) { unsafe core.port.post(block, completion) }
}

extension Duration {
    /// Rounded up, never down; nothing for a negative one, and the largest number for more than 584 years.
    var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = product.addingReportingOverflow(UInt64((attoseconds + 999_999_999) / 1_000_000_000))
        return overflow || carry ? .max : sum
    }
}
