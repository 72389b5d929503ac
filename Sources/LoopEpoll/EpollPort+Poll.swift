public import LoopCore

// Readiness waiters stand outside the lanes: what they wait for is the descriptor's state, whoever else reads or writes.

extension EpollPort {
    public func poll(_ request: PortRequest, _ interest: Readiness) -> Submission {
        guard let descriptor = admit(request) else { return refusal() }
        let operation = Operation(beginning: request, .poll, fd: descriptor.record.fd, length: 0)
        operation.record.interest = interest
        // Registered before the kernel is asked, so that room that appears in between brings an edge.
        if interest.contains(.writable), let code = watchForRoom(descriptor) {
            return answer(operation, .failure(code), request.inline)
        }
        if let completion = readiness(of: descriptor.record.fd, interest) { return answer(operation, completion, request.inline) }
        operation.record.place = .waiters
        descriptor.record.waiters.append(operation)
        return .owesPacket
    }

    /// Asks once for all waiters, and answers those who waited for what was found.
    func answerWaiters(_ descriptor: Descriptor) {
        descriptor.record.waitersAreDue = false
        var interests: Readiness = []
        var next = descriptor.record.waiters.first
        while let operation = next {
            interests.formUnion(operation.record.interest)
            next = operation.record.next
        }
        guard let found = readiness(of: descriptor.record.fd, interests) else { return }
        next = descriptor.record.waiters.first
        while let operation = next {
            next = operation.record.next
            guard let own = found.narrowed(to: operation.record.interest) else { continue }
            descriptor.record.waiters.remove(operation)
            finish(operation, own)
        }
    }

    /// What a poll for `interest` completes with now; nil if it waits.
    private func readiness(of fd: Int32, _ interest: Readiness) -> Completion? {
        switch Native.readiness(fd, interest) {
        case .count(0): return nil
        case .failed(let code): return .failure(code)
        case .count(let bits):
            let found = Readiness(pollBits: bits)
            // POLLNVAL alone: the number is closed.
            return found.isEmpty ? .failure(.badDescriptor) : .success(Int(found.rawValue))
        }
    }
}

extension Completion {
    /// The part of a readiness that one waiter asked for; nil if there is none. An error is for everybody.
    fileprivate func narrowed(to interest: Readiness) -> Completion? {
        guard severity == .success else { return self }
        let own = Readiness(rawValue: UInt8(count)).intersection(interest.union([.hangup, .failed]))
        return own.isEmpty ? nil : .success(Int(own.rawValue))
    }
}
