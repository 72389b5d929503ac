/// An operation on its way to the kernel: submit it, or abandon it; there is nothing else it can be used for.
///
/// ``Operations/perform(on:capacity:tag:timeout:file:line:_:)`` lends one to a function that must return the ``Decision`` only
/// this value can make. Forgetting a branch, deciding twice, keeping the value, using it off the loop: none of it compiles.
@safe public struct PreparedOp: ~Copyable {
    /// For ``Operations/cancel(_:)`` and logs; the result comes from whoever handed out this value.
    public let id: OperationID
    // Not retained: whoever lends this value has them, and nobody can keep it longer.
    private let operations: Unmanaged<Operations>
    private let cell: Cell
    private let inline: InlineCompletion

    // SAFETY: the caller is the operations' own method, and is given back the decision, for which this value goes.
    @inline(__always)
    init(_ operations: Operations, _ cell: Cell, inline: InlineCompletion) {
        unsafe self.operations = .passUnretained(operations)
        self.cell = cell
        self.inline = inline
        id = operations.ledger.id(of: cell)
    }

    /// Room in the operation's buffer.
    public var capacity: Int { Int(cell.record.capacity) }

    /// Lends the buffer, to be filled before a write.
    // SAFETY: the record is prepared, so the buffer is the ledger's; the span cannot outlive the call.
    public borrowing func withBuffer<R: ~Copyable>(_ body: (inout MutableRawSpan) -> R) -> R {
        var bytes = unsafe MutableRawSpan(_unsafeBytes: cell.buffer)
        return body(&bytes)
    }

    /// Makes the adapter's own native call, with the control block and the buffer it may write to until the packet, and takes the call's
    /// raw code: zero, pending and warning statuses owe a packet, an error status owes none. The seam knows which is which (C1).
    // SAFETY: the pointers are the ledger's until the packet (C2); the call must hand the kernel this block and no other.
    public consuming func submit(_ call: (UnsafeMutableRawPointer, UnsafeMutableRawBufferPointer) -> Int32) -> Decision {
        decide(.received) { port, request in port.classify(unsafe call(request.block, request.buffer), of: request) }
    }

    /// Hands the operation to somebody else, a thread pool or a wait on an event, who completes it from any thread.
    ///
    /// With ``RemoteCancel/ends`` it is a wait for something in the adapter itself, which ends when it is cancelled, timed out or retired:
    ///
    /// ```swift
    /// try await ops.perform(on: handle) { op in op.remote(whenCancelled: .ends) { waiter = $0 } }
    /// ```
    public consuming func remote(whenCancelled: RemoteCancel = .waits, _ start: (RemoteCompletion) -> Void) -> Decision {
        // SAFETY: as for the initialiser.
        let (loop, id, cell) = (unsafe operations._withUnsafeGuaranteedRef { $0.loop }, id, cell)
        return decide(.none) { port, _ in
            if whenCancelled == .ends { cell.record.completer = .whoeverIsFirst }
            start(RemoteCompletion(id, loop, aborted: port.abortedCompletion))
            return .owesPacket
        }
    }

    /// The work is done and the kernel never saw the control block: the result is here, and no packet will come.
    public consuming func completedInline(count: Int, error: SystemCode = .none) -> Decision {
        let completion = Completion(
            count: count, error: error, status: RawStatus(rawValue: UInt32(bitPattern: error.rawValue)),
            severity: error == .none ? .success : .error)
        return decide(.received) { _, _ in .completed(completion) }
    }

    /// The native call was not made.
    public consuming func abandon(_ error: SystemCode) -> Decision { decide(.none) { _, _ in .refused(error) } }

    /// Reads into the buffer: what is there, at least one byte. Zero bytes is the end of a stream.
    public consuming func read(at offset: FileOffset? = nil) -> Decision {
        decide(.received) { port, request in port.read(request, at: offset) }
    }

    /// Writes the buffer's first `count` bytes: all of them, unless an error stops it.
    public consuming func write(count: Int, at offset: FileOffset? = nil) -> Decision {
        guard count >= 0, count <= capacity else { return give(up: .capacityExceeded(requested: count, limit: capacity)) }
        return decide(.none) { port, request in port.write(request, count: count, at: offset) }
    }

    /// Writes ranges of the buffer, in order, as one write.
    public consuming func write(segments: [Range<Int>], at offset: FileOffset? = nil) -> Decision {
        guard segments.count <= segmentsMax else { return give(up: .capacityExceeded(requested: segments.count, limit: segmentsMax)) }
        for segment in segments where segment.lowerBound < 0 || segment.upperBound > capacity {
            return give(up: .capacityExceeded(requested: segment.upperBound, limit: capacity))
        }
        return decide(.none) { port, request in port.write(request, segments: segments, at: offset) }
    }

    /// Waits until the handle is ready for one of `interest`; the completion's count is what it is ready for.
    public consuming func poll(_ interest: Readiness) -> Decision {
        decide(.none) { port, request in port.poll(request, interest) }
    }

    /// Accepts one connection: the handle is ``Completion/acquired``.
    public consuming func accept() -> Decision { decide(.none) { port, request in port.accept(request) } }

    /// Runs a non-blocking call of the adapter's own whenever the handle may be ready for it: from the first time on if a direction is
    /// named, else at once and whenever the direction that the call then names is ready.
    ///
    /// The call is lent the operation's buffer. Bytes that it puts there are the outcome's, as many as it says were done.
    public consuming func attempt(
        _ direction: Direction? = nil, _ body: @escaping (NativeHandle, inout MutableRawSpan) -> AttemptResult
    ) -> Decision {
        decide(.received) { port, request in
            port.attempt(request, direction) { handle in
                // SAFETY: the function is called before the packet, up to which the buffer is the ledger's (C2).
                var buffer = unsafe MutableRawSpan(_unsafeBytes: request.buffer)
                return body(handle, &buffer)
            }
        }
    }

    // SAFETY: as for the initialiser.
    @inline(__always)
    private consuming func decide(_ flow: ByteFlow, _ verb: (any CompletionPort, PortRequest) -> Submission) -> Decision {
        let outcome = unsafe operations._withUnsafeGuaranteedRef { $0.ledger.decide(cell, flow, inline, verb) }
        return Decision(id: id, outcome: outcome)
    }

    // SAFETY: as for the initialiser.
    @inline(never)
    private consuming func give(up error: OperationError) -> Decision {
        Decision(id: id, outcome: unsafe operations._withUnsafeGuaranteedRef { $0.ledger.give(up: cell, error) })
    }
}

extension Ledger {
    @inline(__always)
    fileprivate func decide(
        _ cell: Cell, _ flow: ByteFlow, _ inline: InlineCompletion, _ verb: (any CompletionPort, PortRequest) -> Submission
    ) -> Decided {
        do throws(OperationError) {
            switch try submit(cell, flow, inline: inline, verb) {
            case .owesPacket: return .owesPacket
            case .completed: return .completed
            case .refused(let code): return .refused(.refused(code))
            }
        } catch {
            // Retired between the preparation and here, by the very function that decides: the record is still prepared.
            return give(up: cell, error)
        }
    }

    @inline(never)
    fileprivate func give(up cell: Cell, _ error: OperationError) -> Decided {
        try? abandon(cell)
        return .refused(error)
    }
}

/// What a ``PreparedOp`` was used for. Only one of those makes it, so a function that must return it cannot forget a branch.
public struct Decision: ~Copyable {
    let id: OperationID
    let outcome: Decided

    @inline(__always)
    init(id: OperationID, outcome: Decided) {
        self.id = id
        self.outcome = outcome
    }
}

/// As ``Submission``, without the completion, which is in the record.
enum Decided {
    case owesPacket
    case completed
    case refused(OperationError)
}
