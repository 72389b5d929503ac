public import LoopCore

// Windows completes operations and knows no readiness. The driver below Winsock does, because `select` needs it: it is asked for a socket's
// events and answers in a packet, at once if one of them is true. What has no such driver has no readiness, but for what can be made of an
// operation on zero bytes.

extension Win32Port {
    public func poll(_ request: PortRequest, _ interest: Readiness) -> Submission {
        guard let handle = admit(request) else { return refusal() }
        switch handle.record.object.kind {
        case .streamSocket, .messageSocket:
            guard !interest.isEmpty else { return .refused(.invalidParameter) }
            return awaitReadiness(Operation(beginning: request, .poll, on: handle), handle, interest, request.inline)
        case .pipe: return pollPipe(request, handle, interest)
        case .file:
            // Always ready, as on every system.
            let ready = interest.intersection([.readable, .writable])
            guard !ready.isEmpty else { return .refused(.notSupported) }
            return answer(Operation(beginning: request, .poll, on: handle), .success(Int(ready.rawValue)), request.inline)
        case .directory, .device, .nothing: return .refused(.notSupported)
        }
    }

    /// A read of zero bytes is pending until there are some, and takes none. Nothing tells when there is room to write.
    private func pollPipe(_ request: PortRequest, _ handle: BoundHandle, _ interest: Readiness) -> Submission {
        guard interest == .readable else { return .refused(.notSupported) }
        let operation = Operation(beginning: request, .poll, on: handle)
        operation.record.interest = interest
        let code = operation.callFileRead()
        if isOwed(code, operation) { return owe(operation) }
        return answer(operation, code == .brokenPipe ? .ended : .failure(code), request.inline)
    }

    /// Parks an operation until the driver says that its socket is ready.
    func awaitReadiness(
        _ operation: Operation, _ handle: BoundHandle, _ interest: Readiness, _ inline: InlineCompletion
    ) -> Submission {
        operation.record.interest = interest
        operation.record.place = .waiters
        handle.record.waiters.append(operation)
        guard let code = ask(handle) else { return .owesPacket }
        handle.record.waiters.remove(operation)
        return answer(operation, .failure(code), inline)
    }

    // MARK: answers

    /// Notes what the driver said, for when every packet of the batch has been looked at.
    func note(_ request: Reference<ReadinessRequest>) {
        let (key, found) = (request.record.key, request.record.answer)
        state.record.requests.giveBack(request)
        // Its association is gone: this was to be reaped, and now it is.
        guard let handle = state.record.handles.find(key) else { return }
        handle.record.request = nil
        handle.record.found = found
        state.record.agenda.append(handle)
    }

    /// Goes through the sockets that the driver has said something about: first those who only wanted to know, then the functions of
    /// attempts. Then the driver is asked for who still waits.
    func serveAgenda() {
        var agenda = state.record.agenda.takeAll()
        while let handle = agenda.popFirst() {
            let found = handle.record.found
            handle.record.found = .none
            serve(handle, found)
        }
    }

    private func serve(_ handle: BoundHandle, _ found: ReadinessAnswer) {
        switch found {
        case .none: break
        case .failed(let completion): return endAll(on: handle, completion)
        case .events(let events) where events.contains(.localClose): return endAll(on: handle, .aborted(count: 0))
        case .events(let events):
            let ready = Readiness(events)
            answerWaiters(handle, ready)
            let word = handle.record.word
            if !ready.isDisjoint(with: [.readable, .hangup, .failed]) { runAttempts(on: handle, .read) }
            if !ready.isDisjoint(with: [.writable, .hangup, .failed]) { runAttempts(on: handle, .write) }
            // A function may have dissociated the handle, and another association may have its place.
            guard handle.record.word == word else { return }
        }
        if let code = ask(handle) { endAll(on: handle, .failure(code)) }
    }

    /// Answers those who were there when the question was put. Who came later did not ask, and what was true then need not be true now.
    private func answerWaiters(_ handle: BoundHandle, _ ready: Readiness) {
        var next = handle.record.waiters.first
        while let operation = next {
            next = operation.record.next
            let own = ready.intersection(operation.record.interest.union([.hangup, .failed]))
            guard operation.record.traits.contains(.isAsked), !own.isEmpty else { continue }
            handle.record.waiters.remove(operation)
            finish(operation, .success(operation.record.verb == .poll ? Int(own.rawValue) : 0))
        }
    }

    /// Ends everything that waits on a handle.
    func endAll(on handle: BoundHandle, _ completion: Completion) {
        var works: [Work] = []
        endAll(in: &handle.record.waiters, completion, &works)
        endAll(in: &handle.record.reads, completion, &works)
        endAll(in: &handle.record.writes, completion, &works)
        // The adapters' functions go last: what they held may call back as it goes.
        withExtendedLifetime(works) {}
    }

    private func endAll(in lot: inout ParkingLot, _ completion: Completion, _ works: inout [Work]) {
        while let operation = lot.popFirst() { works.append(queuePacket(operation, completion)) }
    }
}

extension Completion {
    /// The other end of a pipe was closed: a read would say so at once.
    static var ended: Completion { .success(Int(Readiness([.readable, .hangup]).rawValue), status: .pipeBroken) }
}
