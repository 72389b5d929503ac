public import LoopCore

extension Win32Port {
    /// Zero and pending owe a packet. So do the warnings, whose work was done in part: ERROR_MORE_DATA and WSAEMSGSIZE.
    /// ERROR_PIPE_CONNECTED, of `ConnectNamedPipe`, is a success that owes none. Everything else is an error.
    public func classify(_ code: Int32) -> Submission {
        switch SystemCode(rawValue: code) {
        case .none, .pending: .owesPacket
        case .moreData, .messageSize: faults.contains(.refusesWarnings) ? .refused(SystemCode(rawValue: code)) : .owesPacket
        case .pipeConnected: .completed(.success(0))
        case let code: .refused(code)
        }
    }

    /// Also looks at the control block: a status of the warning class says that a packet is queued, whatever the code was translated to.
    public func classify(_ code: Int32, of request: PortRequest) -> Submission {
        guard let handle = admit(request) else { return classify(code) }
        let operation = Operation(beginning: request, .native, on: handle)
        let answer = isWarning(operation) ? .owesPacket : classify(code)
        return answer == .owesPacket ? owe(operation) : answer
    }

    // A loop that has ended works off late mail: the packets go nowhere.
    // SAFETY: the block is handed out as it came, and not looked at.
    public func post(_ block: UnsafeMutableRawPointer, _ completion: Completion) {
        guard state.record.isOpen else { return }
        state.record.ready.append(unsafe Packet(key: .operation, block: block, completion: completion))
    }

    /// A buffer without room waits until there is something to read, and reads nothing. The kernel has that for streams: an operation on
    /// zero bytes is pending until there are some. For messages it has not, it would take one and cut it down to nothing, so there the
    /// driver is asked.
    // SAFETY: the buffer is measured, not touched.
    public func read(_ request: PortRequest, at offset: FileOffset?) -> Submission {
        guard let handle = admit(request) else { return refusal() }
        let length = unsafe request.buffer.count
        switch handle.record.object.kind {
        case .messageSocket where length == 0:
            return awaitReadiness(Operation(beginning: request, .read, on: handle), handle, .readable, request.inline)
        case .streamSocket, .messageSocket:
            return submit(Operation(beginning: request, .read, on: handle, length: length), request.inline) { $0.callReceive() }
        case .pipe, .file, .device, .directory, .nothing: return readFile(request, handle, at: offset, length: length)
        }
    }

    /// Whole, because the kernel works off an overlapped write whole, on a non-blocking socket too. The exception is a pipe that its owner
    /// has put into PIPE_NOWAIT mode, which takes what fits. A cancelled write has the count of what went out, on a socket; on a pipe whose
    /// other end has read some of it, the kernel may count nothing (Wine does not).
    public func write(_ request: PortRequest, count: Int, at offset: FileOffset?) -> Submission {
        guard let handle = admit(request) else { return refusal() }
        guard count >= 0, hasBytes(request, 0..<count) else { return .refused(.invalidParameter) }
        guard handle.record.object.isSocket else { return writeFile(request, handle, at: offset, count: count) }
        return submit(Operation(beginning: request, .write, on: handle, length: count), request.inline) { $0.callSend() }
    }

    /// Winsock takes the pieces as they are. `WriteFile` does not, and its gathering sibling wants whole pages, so that for everything else
    /// the pieces are put together first.
    public func write(_ request: PortRequest, segments: [Range<Int>], at offset: FileOffset?) -> Submission {
        guard let handle = admit(request) else { return refusal() }
        guard segments.count <= segmentsMax, segments.allSatisfy({ hasBytes(request, $0) }) else { return .refused(.invalidParameter) }
        guard handle.record.object.isSocket else { return gatherIntoFile(request, handle, at: offset, segments) }
        return submit(Operation(beginning: request, .write, on: handle), request.inline) { $0.callGatherSend(segments) }
    }

    // SAFETY: the buffer is measured, not touched; the room for the address is the ledger's until the packet.
    public func receive(_ request: PortRequest) -> Submission {
        guard let handle = admit(request) else { return refusal() }
        guard handle.record.object.isSocket else { return .refused(.notASocket) }
        let operation = Operation(beginning: request, .receive, on: handle, length: unsafe request.buffer.count)
        // A stream has no sender for each piece, and Winsock leaves the room for one as it is.
        guard handle.record.object.kind == .messageSocket, let address = unsafe request.address else {
            return submit(operation, request.inline) { $0.callReceive() }
        }
        return submit(operation, request.inline) { unsafe $0.callReceiveFrom(address) }
    }

    // SAFETY: as above.
    public func send(_ request: PortRequest, count: Int) -> Submission {
        guard let handle = admit(request) else { return refusal() }
        guard handle.record.object.isSocket else { return .refused(.notASocket) }
        guard count >= 0, hasBytes(request, 0..<count) else { return .refused(.invalidParameter) }
        let operation = Operation(beginning: request, .send, on: handle, length: count)
        if let address = unsafe request.address, operation.addressLength > 0 {
            return submit(operation, request.inline) { unsafe $0.callSendTo(address) }
        }
        return submit(operation, request.inline) { $0.callSend() }
    }

    /// `AcceptEx` wants the socket that is to be the connection beforehand. It is the port's until the packet, and closed by it on every
    /// way that does not end in ``Completion/acquired``.
    public func accept(_ request: PortRequest) -> Submission {
        guard let handle = admit(request) else { return refusal() }
        guard handle.record.object.isSocket else { return .refused(.notASocket) }
        let operation = Operation(beginning: request, .accept, on: handle)
        let room = state.record.rooms.take()
        operation.record.work = .room(room)
        do throws(SystemError) { room.record.socket = try Native.makeSocket(like: handle.record.object) } catch {
            return answer(operation, .failure(error.code), request.inline)
        }
        return submit(operation, request.inline) { $0.callAccept(room) }
    }

    /// `ConnectEx` is for streams, and wants a socket that has an address of its own. To connect a socket of messages is to write down a
    /// name: that is done at once.
    // SAFETY: as above.
    public func connect(_ request: PortRequest) -> Submission {
        guard let handle = admit(request) else { return refusal() }
        guard handle.record.object.isSocket else { return .refused(.notASocket) }
        let operation = Operation(beginning: request, .connect, on: handle)
        guard let address = unsafe request.address, operation.addressLength > 0 else { return .refused(.invalidArgument) }
        if handle.record.object.kind == .messageSocket {
            let code = unsafe Native.connect(handle.record.handle, address)
            return answer(operation, code == .none ? .success(0) : .failure(code), request.inline)
        }
        if !Native.isBound(handle.record.handle) {
            let code = Native.bindToAny(handle.record.handle, family: handle.record.object.family)
            if code != .none { return answer(operation, .failure(code), request.inline) }
        }
        return submit(operation, request.inline) { unsafe $0.callConnect(address) }
    }

    /// Whether the bytes of the range are the buffer's.
    // SAFETY: as above.
    func hasBytes(_ request: PortRequest, _ range: Range<Int>) -> Bool {
        unsafe range.lowerBound >= 0 && range.upperBound <= request.buffer.count
    }

    // MARK: starting

    /// Makes an operation's call. From here on its memory is the kernel's, unless the call failed: then there is no packet, and the port
    /// says what there is to say. So a failure is the same to the caller whether the kernel found it at once or later (C5).
    @inline(__always)
    func submit(_ operation: Operation, _ inline: InlineCompletion, _ call: (Operation) -> SystemCode) -> Submission {
        let code = call(operation)
        return isOwed(code, operation) ? owe(operation) : answer(operation, .failure(code), inline)
    }

    /// Whether a call that returned this owes a packet (C1). The kernel's rule is that all do but those that failed at once.
    @inline(__always)
    func isOwed(_ code: SystemCode, _ operation: Operation) -> Bool {
        code == .pending || code == .none || classify(code.rawValue) == .owesPacket || isWarning(operation)
    }

    private func isWarning(_ operation: Operation) -> Bool {
        operation.status.severity == .warning && !faults.contains(.refusesWarnings)
    }

    @inline(__always)
    func owe(_ operation: Operation) -> Submission {
        operation.record.place = .kernel
        state.record.owed.insert(operation.blockNumber)
        return .owesPacket
    }

    // MARK: finishing

    /// Delivers a result that was there at once and that the kernel has no packet for: in the answer, where that is allowed.
    func answer(_ operation: Operation, _ completion: Completion, _ inline: InlineCompletion) -> Submission {
        let work = operation.takeWork()
        operation.record.place = .finished
        release(work)
        if inline == .allowed { return .completed(completion) }
        // SAFETY: the block is the operation's own.
        unsafe post(operation.block, completion)
        return .owesPacket
    }

    /// Queues the packet of an operation that the kernel knows nothing of.
    func finish(_ operation: Operation, _ completion: Completion) {
        let work = queuePacket(operation, completion)
        release(work)
    }

    /// Queues the packet and returns what the control block owned. The caller lets go of it when nothing is half changed: an adapter's
    /// function may hold the last reference to an object that calls back as it dies.
    func queuePacket(_ operation: Operation, _ completion: Completion) -> Work {
        let work = operation.takeWork()
        operation.record.place = .finished
        // SAFETY: the block is the operation's own.
        unsafe post(operation.block, completion)
        return work
    }

    /// Gives back what an operation owned that is with the kernel no more.
    func release(_ work: Work) {
        switch work {
        case .none: break
        case .body: withExtendedLifetime(work) {}
        case .room(let room): state.record.rooms.giveBack(room)
        case .copy(let bytes): bytes.deallocate()
        }
    }
}
