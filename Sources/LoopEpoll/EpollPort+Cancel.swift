public import LoopCore

extension EpollPort {
    public func cancel(_ request: PortRequest) -> CancelAnswer {
        // SAFETY: the ledger's control block, zero at the verb until a verb of this port has begun it.
        let operation = unsafe Operation(block: request.block)
        guard state.record.isOpen, operation.record.verb != .none else { return .notFound }
        switch operation.record.place {
        case .untouched, .finished: return .notFound
        case .reads: cancelParked(operation, .read)
        case .writes: cancelParked(operation, .write)
        case .waiters:
            guard let descriptor = state.record.descriptors.find(operation.record.key) else { return .notFound }
            descriptor.record.waiters.remove(operation)
            finish(operation, .aborted(count: 0))
        case .fresh:
            state.record.fresh.remove(operation)
            finish(operation, .aborted(count: 0))
        case .running: operation.record.place = .withdrawn
        case .withdrawn: break  // The packet comes when the function returns.
        case .workers: cancelDispatched(operation)
        }
        return .requested
    }

    private func cancelParked(_ operation: Operation, _ direction: Direction) {
        guard let descriptor = state.record.descriptors.find(operation.record.key) else {
            trap("An operation waits on a descriptor that was dissociated.")
        }
        let lane = descriptor.lane(direction)
        let isTorn = direction == .write && operation.record.progress > 0
        lane.record.parked.remove(operation)
        finish(operation, .aborted(count: operation.record.progress))
        if isTorn { failAll(in: lane) }
    }

    /// Fails what waits behind a write of which only a part went out: to go on with it would join the front of one message to another.
    /// Nobody asked for these to end, so they are errors and not aborted.
    private func failAll(in lane: Lane) {
        var works: [Work] = []
        while let operation = lane.record.parked.popFirst() { works.append(queuePacket(operation, .failure(.cancelled))) }
        // The adapters' functions go last: what they held may call back as it goes.
        withExtendedLifetime(works) {}
    }
}
