public import LoopCore

// An attempt's function is an adapter's code: it runs when no structure of the port is half changed, with its operation on no list, and
// may call any verb, cancel anything, itself included, and dissociate the handle.

extension Win32Port {
    /// A function whose direction is known stands behind those that wait for it. Of one whose direction is not, only the function can tell:
    /// it runs at once, whoever else waits, and from then on has its place among those of the direction it named. It must say that it would
    /// block only if its system call did: the driver's answers are about the socket, and a function that waits for more than the socket has
    /// would be asked again and again.
    public func attempt(
        _ request: PortRequest, _ direction: Direction?, _ body: @escaping (NativeHandle) -> AttemptResult
    ) -> Submission {
        guard let handle = admit(request) else { return refusal() }
        let operation = Operation(beginning: request, .attempt, on: handle, work: .body(body))
        if let direction, hasWaiting(on: handle, direction) {
            // The driver has been asked for the one in front.
            park(operation, handle, direction, isNew: true)
            return .owesPacket
        }
        guard state.record.bodiesRunning == 0 else {
            // The function that is calling may hold what this one needs: it returns first.
            operation.record.place = .fresh
            state.record.fresh.append(operation)
            return .owesPacket
        }
        guard let completion = begin(operation) else { return .owesPacket }
        return answer(operation, completion, request.inline)
    }

    /// Runs what was submitted while another attempt ran. About as many as there were when it began: what they submit waits for the next
    /// look.
    func runFresh() {
        var left = state.record.fresh.count
        while left > 0, let operation = state.record.fresh.popFirst() {
            left -= 1
            let isGone = state.record.handles.find(operation.record.key) == nil
            if let completion = isGone ? .aborted(count: 0) : begin(operation) { finish(operation, completion) }
        }
    }

    /// Runs the attempts of one direction in their order, until one would block.
    ///
    /// Each round looks at the list anew: a function may have submitted, cancelled, or dissociated the handle.
    func runAttempts(on handle: BoundHandle, _ direction: Direction) {
        let word = handle.record.word
        while handle.record.word == word, let operation = takeFirst(on: handle, direction) {
            switch settle(operation, run(operation)) {
            case .finished(let completion): finish(operation, completion)
            case .wouldBlock(let handle, let needed):
                park(operation, handle, needed, isNew: needed != direction)
                if needed == direction { return }
            }
        }
    }

    /// What the function's answer makes of an attempt.
    private enum Verdict {
        case finished(Completion)
        case wouldBlock(BoundHandle, Direction)
    }

    /// Runs a function for the first time. Its completion, or nil while it waits.
    private func begin(_ operation: Operation) -> Completion? {
        switch settle(operation, run(operation)) {
        case .finished(let completion): return completion
        case .wouldBlock(let handle, let direction):
            park(operation, handle, direction, isNew: true)
            guard let code = ask(handle) else { return nil }
            unpark(operation)
            return .failure(code)
        }
    }

    /// Calls the function.
    private func run(_ operation: Operation) -> AttemptResult {
        guard case .body(let body) = operation.record.work else { trap("An attempt has lost its function.") }
        operation.record.place = .running
        state.record.bodiesRunning += 1
        let result = body(operation.record.handle)
        state.record.bodiesRunning -= 1
        return result
    }

    private func settle(_ operation: Operation, _ result: AttemptResult) -> Verdict {
        switch result {
        case .done(let count): return .finished(.success(count))
        case .failed(let code): return .finished(.failure(code))
        case .wouldBlock(let direction):
            // Withdrawn while it ran, or its association is gone. Had it been done, that would have counted (C3).
            guard operation.record.place == .running, let handle = state.record.handles.find(operation.record.key) else {
                return .finished(.aborted(count: 0))
            }
            // Nothing tells when a file, a pipe or a device is ready.
            return handle.record.object.isSocket ? .wouldBlock(handle, direction) : .finished(.failure(.notSupported))
        }
    }

    private func park(_ operation: Operation, _ handle: BoundHandle, _ direction: Direction, isNew: Bool) {
        operation.record.traits.remove(.isAsked)
        switch direction {
        case .read:
            operation.record.place = .reads
            if isNew { handle.record.reads.append(operation) } else { handle.record.reads.prepend(operation) }
        case .write:
            operation.record.place = .writes
            if isNew { handle.record.writes.append(operation) } else { handle.record.writes.prepend(operation) }
        }
    }

    private func hasWaiting(on handle: BoundHandle, _ direction: Direction) -> Bool {
        switch direction {
        case .read: !handle.record.reads.isEmpty
        case .write: !handle.record.writes.isEmpty
        }
    }

    private func takeFirst(on handle: BoundHandle, _ direction: Direction) -> Operation? {
        switch direction {
        case .read: handle.record.reads.popFirst()
        case .write: handle.record.writes.popFirst()
        }
    }
}
