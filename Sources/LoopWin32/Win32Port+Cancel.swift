public import LoopCore

extension Win32Port {
    /// A request to the kernel, or to the port itself for what waits here. What `CancelIoEx` answers is passed on as advice and decides
    /// nothing: found, the operation may still succeed; not found, its packet may still lie in the queue (C3).
    public func cancel(_ request: PortRequest) -> CancelAnswer {
        guard state.record.isOpen else { return .notFound }
        // SAFETY: the ledger's control block, zero at the verb until a verb of this port has begun it.
        let operation = unsafe Operation(block: request.block)
        // A native call that was reported by its id alone: the port was not told, but the kernel may know the block.
        guard operation.record.verb != .none else { return unsafe told(Native.cancel(request.handle, request.block)) }
        switch operation.record.place {
        case .untouched, .finished: return .notFound
        case .kernel: return cancelInKernel(operation)
        case .waiters, .reads, .writes, .fresh:
            unpark(operation)
            finish(operation, .aborted(count: 0))
        case .running: operation.record.place = .withdrawn
        case .withdrawn: break  // The packet comes when the function returns.
        }
        return .requested
    }

    private func cancelInKernel(_ operation: Operation) -> CancelAnswer {
        operation.record.traits.insert(.isCancelled)
        let answer = told(operation.callCancel())
        if !faults.isEmpty { misbehave(operation, answer) }
        return answer
    }

    /// Takes an operation off the list that it waits on. A request to the driver that nobody waits for any more is left with it: its answer
    /// is a packet that changes nothing, and taking it back would be a packet too.
    func unpark(_ operation: Operation) {
        if operation.record.place == .fresh { return state.record.fresh.remove(operation) }
        guard let handle = state.record.handles.find(operation.record.key) else {
            trap("An operation waits on a handle that was dissociated.")
        }
        switch operation.record.place {
        case .waiters: handle.record.waiters.remove(operation)
        case .reads: handle.record.reads.remove(operation)
        default: handle.record.writes.remove(operation)
        }
    }

    private func told(_ code: SystemCode) -> CancelAnswer {
        switch code {
        case .none: return .requested
        case .notFound: return .notFound
        default:
            state.record.metrics.refusedCancels += 1
            return .refused(code)
        }
    }

    // MARK: faults, for tests of the tests

    private func misbehave(_ operation: Operation, _ answer: CancelAnswer) {
        if faults.contains(.freesOnCancel), answer == .requested {
            state.record.owed.remove(operation.blockNumber)
            finish(operation, .aborted(count: 0))
        }
        if faults.contains(.trustsCancel) {
            operation.record.traits.insert(answer == .requested ? .isTakenForAborted : .isTakenForGone)
        }
    }
}
