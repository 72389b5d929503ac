import LoopCore
import LoopSim

extension Week {
    /// The end of an operation: allowed by what was asked of it, what its packet says, and what the kernel may do.
    func judge(_ result: WeekResult, _ operation: WeekOperation) {
        let line = operation.line
        switch result.end {
        case .finished:
            tally.finished += 1
            judgeFinished(result, operation)
        case .timedOut:
            tally.timedOut += 1
            require(operation.deadline.map { now >= $0 } ?? false, "operation \(operation.number) timed out before its deadline")
            require(result.severity == .aborted && result.bytes.isEmpty, "success did not beat a deadline")
        case .cancelled:
            tally.ended += 1
            let isAsked = operation.askedAt != nil || !operation.isShielded && operation.fiber.isCancelled
            require(isAsked, "operation \(operation.number) was cancelled unasked")
            require(result.severity == .aborted && result.bytes.isEmpty, "success did not beat a cancel")
        case .stuck(let stuck):
            tally.stuck += 1
            line.isTorn = true
            require(stuck.tag == operation.number, "operation \(operation.number) was given up on by the name \(stuck.tag)")
            require(operation.cause != nil || line.retiredAt != nil, "operation \(operation.number) was given up on unasked")
            require(mayGetStuck(operation), "operation \(operation.number) was given up on, and its driver answers")
        }
        checkPromise(operation)
    }

    private func judgeFinished(_ result: WeekResult, _ operation: WeekOperation) {
        switch result.severity {
        case .success: break
        case .warning: require(faults.warningStatuses != .never, "a packet brought a warning that the kernel does not give")
        case .error: require(faults.failsLate != .never, "a packet brought an error that the kernel does not make")
        case .aborted:
            let isAllowed = operation.line.retiredAt != nil || operation.isDropped
            require(isAllowed, "operation \(operation.number) was aborted and says that it finished")
        }
    }

    /// Once it has been asked to end, a wait lasts for the grace at most.
    func checkPromise(_ operation: WeekOperation) {
        guard let cause = operation.cause else { return }
        require(now <= cause.advanced(by: grace), "operation \(operation.number) was waited for longer than deadline and grace")
    }

    /// Whether the kernel, or whoever completes it, may let a cancel go by.
    private func mayGetStuck(_ operation: WeekOperation) -> Bool {
        if case .remote(.waits) = operation.verb { return true }
        if operation.isRemote { return false }
        // The operations of a line are worked off in order: they wait for one that is lost, and none of them is.
        return faults.getsStuck != .never || faults.refusesCancels != .never
    }

    /// What ends the whole of a fiber, or of a scope, is thrown.
    func passOn(_ end: WaitEnd, _ operation: WeekOperation) throws {
        switch end {
        case .finished: break
        case .timedOut:
            guard let scope = operation.scope else { return }
            scope.isCut = true
            throw WaitError.timedOut
        case .cancelled:
            if operation.fiber.isCancelled, !operation.isShielded { throw WaitError.cancelled }
        case .stuck:
            guard let scope = operation.scope, now >= scope.deadline else { return }
            // Somebody asked before the time was up, and the grace of that went on behind it.
            if operation.isAsked(by: scope.deadline) {
                if operation.fiber.isCancelled { throw WaitError.cancelled }
                return
            }
            // The grace of a retire and the scope end it alike; which was first is not seen from here.
            guard operation.line.retiredAt == nil else {
                scope.mayBeCut = true
                return
            }
            scope.isCut = true
            throw WaitError.timedOut
        }
    }

    /// Why an operation was not begun.
    func judge(_ error: OperationError, _ operation: WeekOperation) throws {
        tally.refused += 1
        note(operation.fiber, .refused)
        let isRetired = operation.line.retiredAt != nil
        switch error {
        case .cancelled:
            require(operation.fiber.isCancelled && !operation.isShielded, "an operation was refused as cancelled, and nobody cancelled")
            throw WaitError.cancelled
        case .refused: require(faults.refusesOperations != .never, "the kernel refused an operation, and refuses none")
        case .backpressure(.operationsOnHandle): break
        case .notAssociated: require(isRetired, "a handle was refused that is associated")
        case .stuck: require(operation.line.isTorn, "a handle is refused as stuck, and nothing is")
        default: fail("an operation was refused: \(error)")
        }
    }
}
