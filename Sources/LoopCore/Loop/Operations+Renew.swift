extension Operations {
    /// Makes of a completed operation the next one on its handle: in the same memory, with the bytes that are in it. What was read is
    /// written back, and what is waited for is waited for again, without a copy and without preparing anew.
    ///
    /// ```swift
    /// let renewed = try ops.renew(id, as: writes)
    /// try ops.write(renewed.id, count: renewed.facts.count)
    /// ```
    ///
    /// The next operation is of the kind that is named, or of the one that this was of. Its old id is dead, and the new operation prepared,
    /// however the old one ended: look at its facts, and start the new one or abandon it. Where the call is refused nothing has changed,
    /// and the result is there to be taken.
    // SAFETY: the completion is copied before anything else is called.
    @inlinable
    public func renew(_ id: OperationID, as kind: OperationKind? = nil, tag: UInt64 = 0) throws(OperationError) -> RenewedOperation {
        let lent = try lendRenewed(id, kind, tag)
        return unsafe RenewedOperation(id: lent.id, facts: lent.facts.pointee)
    }

    /// As ``renew(_:as:tag:)``, for bytes that are looked at or copied and not written back: shows them to a function, until the next
    /// operation takes their place.
    ///
    /// ```swift
    /// let next = try ops.renew(id) { facts, bytes in received(bytes) }.id
    /// try ops.read(next)
    /// ```
    // SAFETY: the span cannot outlive the call, and the memory is the operation's own.
    @inlinable
    public func renew<R>(
        _ id: OperationID, as kind: OperationKind? = nil, tag: UInt64 = 0, _ body: (Completion, RawSpan) -> R
    ) throws(OperationError) -> (id: OperationID, result: R) {
        let lent = try lendRenewedBytes(id, kind, tag)
        return unsafe (lent.id, body(lent.facts.pointee, RawSpan(_unsafeBytes: lent.bytes)))
    }

    // SAFETY: as for `withResult`. What is shown is decided before the record forgets what it was.
    @usableFromInline
    func lendRenewedBytes(_ id: OperationID, _ kind: OperationKind?, _ tag: UInt64) throws(OperationError) -> LentBytes {
        let completed = try ledger.find(id)
        let bytes = unsafe completed.exposed(completed.record.completion)
        let cell = try ledger.renew(id, as: kind, tag: tag, now: core.present)
        return unsafe LentBytes(id: ledger.id(of: cell), facts: cell.completion, bytes: bytes)
    }

    // SAFETY: the record's own completion, which a new packet alone changes.
    @usableFromInline
    func lendRenewed(_ id: OperationID, _ kind: OperationKind?, _ tag: UInt64) throws(OperationError) -> LentRenewal {
        let cell = try ledger.renew(id, as: kind, tag: tag, now: core.present)
        return unsafe LentRenewal(id: ledger.id(of: cell), facts: cell.completion)
    }
}

/// A completed operation that has become the next one.
public struct RenewedOperation: Hashable, Sendable {
    /// The next operation, prepared.
    public let id: OperationID
    /// What the packet of the completed one said. The buffer's first bytes are those it counts, unless there was an error.
    public let facts: Completion

    @inlinable
    init(id: OperationID, facts: Completion) {
        self.id = id
        self.facts = facts
    }
}

/// A renewal for the time of a call: three words, which are returned in registers.
@safe @usableFromInline struct LentRenewal {
    @usableFromInline let id: OperationID
    @usableFromInline let facts: UnsafePointer<Completion>
}

/// As ``LentRenewal``, with the bytes that were received.
@safe @usableFromInline struct LentBytes {
    @usableFromInline let id: OperationID
    @usableFromInline let facts: UnsafePointer<Completion>
    @usableFromInline let bytes: UnsafeRawBufferPointer
}
