// The portable verbs on an operation that has been prepared by id: each starts it and owes one packet, or fails at once and leaves nothing.
extension Operations {
    /// Reads into the operation's buffer: what is there, at least one byte. Zero bytes is the end of a stream.
    public func read(_ id: OperationID, at offset: FileOffset? = nil) throws(OperationError) {
        try start(id, .received) { port, request in port.read(request, at: offset) }
    }

    /// Writes the first `count` bytes of the operation's buffer: all of them, unless an error stops it.
    public func write(_ id: OperationID, count: Int, at offset: FileOffset? = nil) throws(OperationError) {
        try start(id, .none) { port, request in port.write(request, count: count, at: offset) }
    }

    /// Writes ranges of the operation's buffer, in order, as one write.
    public func write(_ id: OperationID, segments: [Range<Int>], at offset: FileOffset? = nil) throws(OperationError) {
        try start(id, .none) { port, request in port.write(request, segments: segments, at: offset) }
    }

    /// Receives one datagram, and its sender if the operation was prepared with room for an address.
    public func receive(_ id: OperationID) throws(OperationError) {
        try start(id, .received) { port, request in port.receive(request) }
    }

    /// Sends the first `count` bytes of the operation's buffer as one datagram, to `address` if there is one.
    public func send(_ id: OperationID, count: Int, to address: SocketAddress? = nil) throws(OperationError) {
        try setAddress(id, address)
        try start(id, .none) { port, request in port.send(request, count: count) }
    }

    /// Accepts one connection: the handle is ``Completion/acquired``.
    public func accept(_ id: OperationID) throws(OperationError) {
        try start(id, .none) { port, request in port.accept(request) }
    }

    /// Connects. Finished without an error means that there is a peer.
    public func connect(_ id: OperationID, to address: SocketAddress) throws(OperationError) {
        try setAddress(id, address)
        try start(id, .none) { port, request in port.connect(request) }
    }

    /// Waits until the handle is ready for one of `interest`; the completion's count is what it is ready for.
    public func poll(_ id: OperationID, _ interest: Readiness) throws(OperationError) {
        try start(id, .none) { port, request in port.poll(request, interest) }
    }

    /// Runs a non-blocking call of the adapter's own whenever the handle may be ready for it.
    public func attempt(_ id: OperationID, _ body: @escaping (NativeHandle) -> AttemptResult) throws(OperationError) {
        try start(id, .received) { port, request in port.attempt(request, body) }
    }

    @inline(__always)
    private func start(
        _ id: OperationID, _ flow: ByteFlow, _ verb: (any CompletionPort, PortRequest) -> Submission
    ) throws(OperationError) {
        let submission = try ledger.submit(ledger.find(id), flow, inline: .never, verb)
        if case .refused(let code) = submission { throw .refused(code) }
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
