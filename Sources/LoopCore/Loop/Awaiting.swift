public import _Concurrency

// The one file with a cancellation handler. On Swift 6.3.1 `withTaskCancellationHandler` runs its function on the generic executor unless
// that function captures the isolation it is to run on: every handler below does, and the repository test looks for it.

extension Operations {
    /// Waits for an operation that was submitted by id, and takes its result.
    ///
    /// With a timeout, or when the task is cancelled, the operation is asked to end; its packet, or the grace after the request, ends the
    /// wait (C8, C9). Work that was done first is returned as finished.
    public func awaitOp(
        _ id: OperationID, timeout: Duration? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws(OperationError) -> Outcome {
        let cell = try ledger.find(id)
        if case .completed = cell.record.state { return try ledger.take(cell) }
        try core.checkCanWait(cell)
        let end = await suspend(cell, id, timeout?.wholeNanoseconds, isolation)
        if case .stuck(let operation) = end { return Outcome(stuck: operation) }
        return try ledger.take(ledger.find(id), end: end)
    }

    /// Retires a handle and waits until it is the caller's again, for at most the cancel grace: ``retire(_:_:)`` for tasks.
    ///
    /// Cancelling the task does not shorten it: what follows is the close, and that is safe only afterwards.
    // SAFETY: a retire tells its waiter once, and `isAssociated` has said that it will take it.
    public func awaitRetire(
        _ handle: AssociatedHandle, isolation: isolated (any Actor)? = #isolation
    ) async throws(OperationError) -> RetireReport {
        guard ledger.isAssociated(handle) else { throw .notAssociated }
        return unsafe await withUnsafeContinuation { continuation in
            let task = unsafe SuspendedTask(continuation)
            do throws(OperationError) {
                try retire(handle) { report in task.resume(report) }
            } catch {
                trap("A handle that was associated a moment ago cannot be retired now: \(error).")
            }
        }
    }

    /// Parks the task in the operation's record until the packet, or the grace after a cancel, resumes it.
    // SAFETY: the record hands the continuation out once (L5), and `checkCanWait` has said that it will take it.
    private func suspend(
        _ cell: Cell, _ id: OperationID, _ timeoutNanoseconds: UInt64?, _ isolation: isolated (any Actor)?
    ) async -> WaitEnd {
        let loop = loop
        return await withTaskCancellationHandler {
            _ = isolation  // captured, or this function runs off the actor
            return unsafe await withUnsafeContinuation { continuation in
                let waiter = unsafe Waiter.task(SuspendedTask(continuation))
                do throws(OperationError) {
                    try core.wait(cell, waiter, timeoutNanoseconds: timeoutNanoseconds)
                } catch {
                    trap("An operation that could be waited for a moment ago cannot be now: \(error).")
                }
            }
        } onCancel: {
            loop.postCancel(id)
        }
    }
}
