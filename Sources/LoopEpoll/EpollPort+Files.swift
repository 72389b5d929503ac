internal import LoopCore

// Operations on files go to the workers. Those with an offset are independent of each other; those without share the file's position, or
// its end with O_APPEND, and so go one at a time, in order, through the descriptor's write lane.

extension EpollPort {
    func dispatch(_ operation: Operation, _ descriptor: Descriptor, _ inline: InlineCompletion) -> Submission {
        let lane = descriptor.writes
        let takesTurns = !operation.record.traits.contains(.hasOffset)
        if takesTurns, !lane.record.isClear {
            park(operation, descriptor, .write)
            return .owesPacket
        }
        if let code = handToWorkers(operation) { return answer(operation, .failure(code), inline) }
        if takesTurns { lane.record.isBusy = true }
        return .owesPacket
    }

    /// Queues the packets of calls that have returned.
    func collectFromWorkers() {
        guard var finished = state.record.workers?.takeFinished() else { return }
        while let operation = finished.popFirst() {
            endTurn(of: operation)
            finish(operation, operation.record.completion)
        }
    }

    /// A call that a thread has begun cannot be taken back: its packet comes when it returns, and says what became of it (C3).
    func cancelDispatched(_ operation: Operation) {
        guard let workers = state.record.workers, workers.remove(operation) else { return }
        endTurn(of: operation)
        finish(operation, .aborted(count: 0))
    }

    private func handToWorkers(_ operation: Operation) -> SystemCode? {
        let workers = state.record.workers ?? FileWorkers(waker: eventWaker)
        state.record.workers = workers
        operation.record.place = .workers
        return workers.submit(operation)
    }

    /// Lets the next operation that shares the file's position begin.
    private func endTurn(of operation: Operation) {
        guard !operation.record.traits.contains(.hasOffset) else { return }
        guard let descriptor = state.record.descriptors.find(operation.record.key) else { return }
        let lane = descriptor.writes
        lane.record.isBusy = false
        while !lane.record.isBusy, let next = lane.record.parked.popFirst() {
            if let code = handToWorkers(next) { finish(next, .failure(code)) } else { lane.record.isBusy = true }
        }
    }
}
