public import LoopCore

extension EpollPort {
    /// An adapter's own system call returns zero, or an `errno`. That it will post a packet for a zero is the adapter's to keep.
    public func classify(_ code: Int32) -> Submission { code == 0 ? .owesPacket : .refused(SystemCode(rawValue: code)) }

    // A loop that has ended works off late mail: the packets go nowhere.
    public func post(_ block: UnsafeMutableRawPointer, _ completion: Completion) {
        guard state.record.isOpen else { return }
        // SAFETY: the ledger's control block; a post initialises what handing out reads, the link and the completion.
        let operation = unsafe Operation(block: block)
        operation.record.completion = completion
        state.record.ready.append(operation)
    }

    /// A buffer without room waits until there is something to read, and reads nothing: what a read of zero bytes does on Windows.
    // SAFETY: the buffer is measured, not touched.
    public func read(_ request: PortRequest, at offset: FileOffset?) -> Submission {
        guard let descriptor = admit(request) else { return refusal() }
        let operation = Operation(beginning: request, .read, fd: descriptor.record.fd, length: unsafe request.buffer.count, offset: offset)
        return submit(operation, descriptor, .read, request.inline)
    }

    // SAFETY: as above.
    public func receive(_ request: PortRequest) -> Submission {
        guard let descriptor = admit(request) else { return refusal() }
        let operation = Operation(beginning: request, .receive, fd: descriptor.record.fd, length: unsafe request.buffer.count)
        return submit(operation, descriptor, .read, request.inline)
    }

    public func accept(_ request: PortRequest) -> Submission {
        guard let descriptor = admit(request) else { return refusal() }
        let operation = Operation(beginning: request, .accept, fd: descriptor.record.fd, length: 0)
        return submit(operation, descriptor, .read, request.inline)
    }

    public func write(_ request: PortRequest, count: Int, at offset: FileOffset?) -> Submission {
        guard let descriptor = admit(request) else { return refusal() }
        guard count >= 0, hasBytes(request, 0..<count) else { return .refused(.invalid) }
        if request.inline == .allowed, let submission = writeAtOnce(request, count, descriptor) { return submission }
        let operation = Operation(beginning: request, .write, fd: descriptor.record.fd, length: count, offset: offset)
        return submit(operation, descriptor, .write, request.inline)
    }

    /// A write that may finish inline mostly does so in one call, and then its control block is left alone: a third of what it would cost
    /// (counted). Nil for what is to go through the lane from the beginning.
    // SAFETY: the bytes are the buffer's, as `hasBytes` has found.
    @inline(__always)
    private func writeAtOnce(_ request: PortRequest, _ count: Int, _ descriptor: Descriptor) -> Submission? {
        let lane = descriptor.writes
        guard lane.record.isClear, lane.record.maybeReady, descriptor.record.kind.isStream, 1...writeChunkMax ~= count else { return nil }
        let answer = unsafe Native.write(descriptor.record.fd, descriptor.record.kind, request.buffer.baseAddress, count)
        if case .count(count) = answer { return .completed(.success(count)) }
        return goOn(request, count, descriptor, answer)
    }

    /// What the first call of a write has left over goes its way.
    @inline(never)
    private func goOn(_ request: PortRequest, _ count: Int, _ descriptor: Descriptor, _ first: Answer) -> Submission {
        let operation = Operation(beginning: request, .write, fd: descriptor.record.fd, length: count)
        guard let completion = conclude(operation.write(descriptor, after: first), operation, descriptor, .write) else {
            park(operation, descriptor, .write)
            return .owesPacket
        }
        return answer(operation, completion, request.inline)
    }

    public func write(_ request: PortRequest, segments: [Range<Int>], at offset: FileOffset?) -> Submission {
        guard let descriptor = admit(request) else { return refusal() }
        guard segments.count <= segmentsMax, segments.allSatisfy({ hasBytes(request, $0) }) else { return .refused(.invalid) }
        let operation = Operation(
            beginning: request, .gather, fd: descriptor.record.fd, length: segments.reduce(0) { $0 + $1.count }, offset: offset,
            work: .ranges(segments))
        return submit(operation, descriptor, .write, request.inline)
    }

    public func send(_ request: PortRequest, count: Int) -> Submission {
        guard let descriptor = admit(request) else { return refusal() }
        guard count >= 0, hasBytes(request, 0..<count) else { return .refused(.invalid) }
        let operation = Operation(beginning: request, .send, fd: descriptor.record.fd, length: count)
        return submit(operation, descriptor, .write, request.inline)
    }

    public func connect(_ request: PortRequest) -> Submission {
        guard let descriptor = admit(request) else { return refusal() }
        let operation = Operation(beginning: request, .connect, fd: descriptor.record.fd, length: 0)
        guard operation.addressLength > 0 else { return .refused(.invalid) }
        return submit(operation, descriptor, .write, request.inline)
    }

    /// Whether the bytes of the range are the buffer's.
    // SAFETY: as above.
    private func hasBytes(_ request: PortRequest, _ range: Range<Int>) -> Bool {
        unsafe range.lowerBound >= 0 && range.upperBound <= request.buffer.count
    }

    /// Tries a new operation at once if it is its turn and trying makes sense; parks it if not.
    @inline(__always)
    private func submit(
        _ operation: Operation, _ descriptor: Descriptor, _ direction: Direction, _ inline: InlineCompletion
    ) -> Submission {
        if descriptor.record.kind == .file, operation.record.verb.isTransfer { return dispatch(operation, descriptor, inline) }
        let lane = descriptor.lane(direction)
        // A connect is a call to make, whatever is known of the socket's readiness.
        let isWorthTrying = lane.record.maybeReady || operation.record.verb == .connect
        guard lane.record.isClear, isWorthTrying, let completion = tryOnce(operation, descriptor, direction) else {
            park(operation, descriptor, direction)
            return .owesPacket
        }
        return answer(operation, completion, inline)
    }

    /// Delivers a result that was there at once: in the answer, where that is allowed.
    @inline(__always)
    func answer(_ operation: Operation, _ completion: Completion, _ inline: InlineCompletion) -> Submission {
        guard inline == .allowed else {
            finish(operation, completion)
            return .owesPacket
        }
        operation.record.place = .finished
        if case .none = operation.record.work {} else { operation.dropWork() }
        return .completed(completion)
    }
}
