public import LoopCore

// An attempt's function is an adapter's code: it runs when no structure of the port is half changed, with its operation on no list, and
// may call any verb, cancel anything, itself included, and dissociate the handle.

extension EpollPort {
    /// A function whose direction is known stands in line like a verb. Of one whose direction is not, only the function can tell: so it
    /// runs at once, whatever waits in either lane, and from then on has its place in the lane it named.
    public func attempt(
        _ request: PortRequest, _ direction: Direction?, _ body: @escaping (NativeHandle) -> AttemptResult
    ) -> Submission {
        guard let descriptor = admit(request) else { return refusal() }
        let operation = Operation(beginning: request, .attempt, fd: descriptor.record.fd, length: 0, work: .body(body))
        if let direction, !mayRunNow(descriptor.lane(direction)) {
            park(operation, descriptor, direction)
            // Held back by the function that is calling, and not by the kernel: no edge will tell.
            if state.record.bodiesRunning > 0 { state.record.agenda.append(descriptor) }
            return .owesPacket
        }
        guard state.record.bodiesRunning == 0 else {
            // The function that is calling may hold what this one needs: it returns first.
            operation.record.place = .fresh
            state.record.fresh.append(operation)
            return .owesPacket
        }
        guard let completion = settle(operation, run(operation), isNew: true) else { return .owesPacket }
        return answer(operation, completion, request.inline)
    }

    private func mayRunNow(_ lane: Lane) -> Bool {
        lane.record.isClear && lane.record.maybeReady && state.record.bodiesRunning == 0
    }

    /// Runs what was submitted while another attempt ran, and named no direction. About as many as there were when it began: what they
    /// submit waits for the next look.
    func runFresh() {
        var left = state.record.fresh.count
        while left > 0, let operation = state.record.fresh.popFirst() {
            left -= 1
            let isGone = state.record.descriptors.find(operation.record.key) == nil
            let completion = isGone ? .aborted(count: 0) : settle(operation, run(operation), isNew: true)
            if let completion { finish(operation, completion) }
        }
    }

    /// Calls the function.
    func run(_ operation: Operation) -> AttemptResult {
        guard case .body(let body) = operation.record.work else { trap("An attempt has lost its function.") }
        operation.record.place = .running
        state.record.bodiesRunning += 1
        let result = body(NativeHandle(rawValue: Int(operation.record.fd)))
        state.record.bodiesRunning -= 1
        return result
    }

    /// What the function's answer makes of the operation: its completion, or nil while it goes on waiting.
    func settle(_ operation: Operation, _ result: AttemptResult, isNew: Bool) -> Completion? {
        switch result {
        case .done(let count): return .success(count)
        case .failed(let code): return .failure(code)
        case .wouldBlock(let direction):
            // Withdrawn while it ran, or its association is gone. Had it been done, that would have counted (C3).
            guard operation.record.place == .running, let descriptor = state.record.descriptors.find(operation.record.key) else {
                return .aborted(count: 0)
            }
            return wait(operation, descriptor, direction, isNew: isNew)
        }
    }

    /// Parks an attempt where its function said that the kernel had nothing for it.
    private func wait(_ operation: Operation, _ descriptor: Descriptor, _ direction: Direction, isNew: Bool) -> Completion? {
        // Nothing ever makes a file ready, because it always is.
        if descriptor.record.kind == .file { return .failure(.tryAgain) }
        if direction == .write, let code = watchForRoom(descriptor) { return .failure(code) }
        let lane = descriptor.lane(direction)
        lane.record.maybeReady = false
        operation.record.place = direction == .read ? .reads : .writes
        if isNew { lane.record.parked.append(operation) } else { lane.record.parked.putBack(operation) }
        return nil
    }
}
