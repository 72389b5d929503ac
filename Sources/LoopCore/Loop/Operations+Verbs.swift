/// Whether a verb's work was done when it returned.
public enum Started: Hashable, Sendable {
    /// One packet will come.
    case waiting
    /// The result is there to be taken, and no packet will come. Only where the call allowed it.
    case done
}

// The portable verbs on an operation that has been prepared by id: each starts it, or fails at once and leaves nothing.
//
// A verb owes one packet, unless it is told that it may finish inline: then work that can be done at once is done, and its result can be
// taken right behind the call. Not for a whole turn, though: after `Limits.inlineCompletionsMax` the queue is used again.
extension Operations {
    /// Reads into the operation's buffer: what is there, at least one byte. Zero bytes is the end of a stream.
    @discardableResult
    public func read(
        _ id: OperationID, at offset: FileOffset? = nil, inline: InlineCompletion = .never
    ) throws(OperationError) -> Started {
        try start(id, .received, inline) { port, request in port.read(request, at: offset) }
    }

    /// Writes the first `count` bytes of the operation's buffer: all of them, unless an error stops it.
    @discardableResult
    public func write(
        _ id: OperationID, count: Int, at offset: FileOffset? = nil, inline: InlineCompletion = .never
    ) throws(OperationError) -> Started {
        try checkRange(id, 0, count)
        return try start(id, .none, inline) { port, request in port.write(request, count: count, at: offset) }
    }

    /// Writes ranges of the operation's buffer, in order, as one write.
    @discardableResult
    public func write(
        _ id: OperationID, segments: [Range<Int>], at offset: FileOffset? = nil, inline: InlineCompletion = .never
    ) throws(OperationError) -> Started {
        try checkSegments(id, segments)
        return try start(id, .none, inline) { port, request in port.write(request, segments: segments, at: offset) }
    }

    /// Receives one datagram, and its sender if the operation was prepared with room for an address.
    @discardableResult
    public func receive(_ id: OperationID, inline: InlineCompletion = .never) throws(OperationError) -> Started {
        try start(id, .received, inline) { port, request in port.receive(request) }
    }

    /// Sends the first `count` bytes of the operation's buffer as one datagram, to `address` if there is one.
    @discardableResult
    public func send(
        _ id: OperationID, count: Int, to address: SocketAddress? = nil, inline: InlineCompletion = .never
    ) throws(OperationError) -> Started {
        try checkRange(id, 0, count)
        try setAddress(id, address)
        return try start(id, .none, inline) { port, request in port.send(request, count: count) }
    }

    /// Accepts one connection: the handle is ``Completion/acquired``.
    @discardableResult
    public func accept(_ id: OperationID, inline: InlineCompletion = .never) throws(OperationError) -> Started {
        try start(id, .none, inline) { port, request in port.accept(request) }
    }

    /// Connects. Finished without an error means that there is a peer.
    @discardableResult
    public func connect(
        _ id: OperationID, to address: SocketAddress, inline: InlineCompletion = .never
    ) throws(OperationError) -> Started {
        try setAddress(id, address)
        return try start(id, .none, inline) { port, request in port.connect(request) }
    }

    /// Waits until the handle is ready for one of `interest`; the completion's count is what it is ready for.
    @discardableResult
    public func poll(
        _ id: OperationID, _ interest: Readiness, inline: InlineCompletion = .never
    ) throws(OperationError) -> Started {
        try start(id, .none, inline) { port, request in port.poll(request, interest) }
    }

    /// Runs a non-blocking call of the adapter's own whenever the handle may be ready for it: from the first time on if a direction is
    /// named, else at once and whenever the direction that the call then names is ready.
    @discardableResult
    public func attempt(
        _ id: OperationID, _ direction: Direction? = nil, inline: InlineCompletion = .never,
        _ body: @escaping (NativeHandle) -> AttemptResult
    ) throws(OperationError) -> Started {
        try start(id, .received, inline) { port, request in port.attempt(request, direction, body) }
    }

    @inline(__always)
    private func start(
        _ id: OperationID, _ flow: ByteFlow, _ inline: InlineCompletion, _ verb: (any CompletionPort, PortRequest) -> Submission
    ) throws(OperationError) -> Started {
        let mayFinish = inline == .allowed && core.mayCompleteInline ? InlineCompletion.allowed : .never
        switch try ledger.submit(ledger.find(id), flow, inline: mayFinish, verb) {
        case .owesPacket: return .waiting
        case .completed:
            core.inlineCompletions += 1
            return .done
        case .refused(let code): throw .refused(code)
        }
    }

    /// A range that is not the buffer's is refused here, once for all ports; the operation stays prepared.
    @inline(__always)
    private func checkRange(_ id: OperationID, _ from: Int, _ to: Int) throws(OperationError) {
        let capacity = Int(try ledger.find(id).record.capacity)
        guard from >= 0, to >= from, to <= capacity else { throw .capacityExceeded(requested: to, limit: capacity) }
    }

    private func checkSegments(_ id: OperationID, _ segments: [Range<Int>]) throws(OperationError) {
        guard segments.count <= segmentsMax else { throw .capacityExceeded(requested: segments.count, limit: segmentsMax) }
        for segment in segments { try checkRange(id, segment.lowerBound, segment.upperBound) }
    }

    private func setAddress(_ id: OperationID, _ address: SocketAddress?) throws(OperationError) {
        guard let address else { return }
        let cell = try ledger.find(id)
        guard case .prepared = cell.record.state else { throw .wrongState(expected: .prepared, found: cell.record.state.phase) }
        // SAFETY: the room is the record's own while it is prepared.
        guard let room = unsafe cell.addressPointer else {
            trap("An operation needs an address but was prepared without room for one: prepare it with address: .one.")
        }
        unsafe room.pointee = address
    }
}
