public import _Concurrency

// The one file with a cancellation handler. On Swift 6.3.1 `withTaskCancellationHandler` runs its function on the generic executor unless
// that function captures the isolation it is to run on: every handler below does, and the repository test looks for it.
//
// A task that does not prefer the loop as its executor is queued once more wherever such a function begins, although it is on the loop
// already. So between a handler and what stands in it, and between a look and what follows from it, anything may happen.

extension Operations {
    /// Waits for an operation that was submitted by id, and takes its result.
    ///
    /// With a timeout, or when the task is cancelled, the operation is asked to end; its packet, or the grace after the request, ends the
    /// wait (C8, C9). Work that was done first is returned as finished. A timeout around the wait (``EventLoop/timeout(_:isolation:_:)``)
    /// counts as its own where it comes first.
    public func awaitOp(
        _ id: OperationID, timeout: Duration? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws(OperationError) -> Outcome {
        let cell = try ledger.find(id)
        if case .completed = cell.record.state { return try ledger.take(cell) }
        try core.checkCanWait(cell)
        let (nanoseconds, scope) = core.earliest(timeout?.wholeNanoseconds, loop)
        let what = scope.map { _ in WaitedFor.operation(handle: cell.handle.entry.native, tag: cell.record.tag) }
        let end = try await suspend(id, nanoseconds, isolation)
        if let scope, let what, end != .finished, core.port.now() >= scope.deadline { scope.cut(what) }
        return try take(id, end)
    }

    /// As ``awaitOp(_:timeout:isolation:)``, whatever becomes of the task: for its last words after it has been cancelled, and for loops
    /// that own their shutdown. It costs half, and only its own timeout, ``cancel(_:)`` and the loop's end bound it.
    // SAFETY: a record that takes the continuation hands it out once (L5).
    public func awaitOpShielded(
        _ id: OperationID, timeout: Duration? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws(OperationError) -> Outcome {
        let cell = try ledger.find(id)
        if case .completed = cell.record.state { return try ledger.take(cell) }
        try core.checkCanWait(cell)
        let nanoseconds = timeout?.wholeNanoseconds
        var refusal: OperationError?
        let end = unsafe await withUnsafeContinuation { (continuation: UnsafeContinuation<WaitEnd, Never>) in
            let task = unsafe SuspendedTask(continuation)
            do throws(OperationError) {
                try core.wait(ledger.find(id), .task(task), timeoutNanoseconds: nanoseconds)
            } catch {
                refusal = error
                task.resume(.finished)
            }
        }
        if let refusal { throw refusal }
        return try take(id, end)
    }

    private func take(_ id: OperationID, _ end: WaitEnd) throws(OperationError) -> Outcome {
        if case .stuck(let operation) = end { return Outcome(stuck: operation) }
        return try ledger.take(ledger.find(id), end: end)
    }

    /// Retires a handle and waits until it is the caller's again, for at most the cancel grace: ``retire(_:_:)`` for tasks.
    ///
    /// Cancelling the task does not shorten it: what follows is the close, and that is safe only afterwards.
    // SAFETY: a retire that is not refused tells its waiter once.
    public func awaitRetire(
        _ handle: AssociatedHandle, isolation: isolated (any Actor)? = #isolation
    ) async throws(OperationError) -> RetireReport {
        let answer: Result<RetireReport, OperationError> = unsafe await withUnsafeContinuation { continuation in
            let task = unsafe SuspendedTask(continuation)
            do throws(OperationError) {
                try retire(handle) { report in task.resume(.success(report)) }
            } catch {
                task.resume(.failure(error))
            }
        }
        return try answer.get()
    }

    /// Parks the task in the operation's record until the packet, or the grace after a cancel, resumes it.
    // SAFETY: a record that takes the continuation hands it out once (L5).
    private func suspend(
        _ id: OperationID, _ timeoutNanoseconds: UInt64?, _ isolation: isolated (any Actor)?
    ) async throws(OperationError) -> WaitEnd {
        let loop = loop
        var refusal: OperationError?
        let end = await withTaskCancellationHandler {
            _ = isolation  // captured, or this function runs off the actor
            return unsafe await withUnsafeContinuation { (continuation: UnsafeContinuation<WaitEnd, Never>) in
                let task = unsafe SuspendedTask(continuation)
                do throws(OperationError) {
                    try core.wait(ledger.find(id), .task(task), timeoutNanoseconds: timeoutNanoseconds)
                    // A cancel since the handler was installed may have found nobody waiting. A second one is harmless.
                    if Task.isCancelled { core.postedCancels.append(id) }
                } catch {
                    refusal = error
                    task.resume(.finished)
                }
            }
        } onCancel: {
            loop.postCancel(id)
        }
        if let refusal { throw refusal }
        return end
    }
}

extension EventLoop {
    /// Suspends the calling task on the loop until somebody wakes it, its deadline passes, it is cancelled, or the loop ends.
    ///
    /// Its place in the list is taken at once: whoever wakes the first of the list finds it, also while it is still on its way here.
    /// `begun` is called when it has been taken, and not at all where nothing is waited for.
    // SAFETY: the place hands the continuation out once.
    func park(
        in list: WaitList?, until deadline: MonotonicInstant?, for what: WaitedFor, isolation: isolated (any Actor)? = #isolation,
        _ begun: () -> Void = {}
    ) async -> Wakeup {
        let core = core
        guard !core.isClosing else { return .closed }
        guard !Task.isCancelled else { return .cancelled }
        let (until, scope) = core.earliest(deadline, self)
        let id = core.parked.reserve(in: list)
        begun()
        let wakeup = await withTaskCancellationHandler {
            _ = isolation  // captured, or this function runs off the actor
            return unsafe await withUnsafeContinuation { (continuation: UnsafeContinuation<Wakeup, Never>) in
                let task = unsafe SuspendedTask(continuation)
                self.core.suspend(id, task, until: until)
            }
        } onCancel: {
            self.postWake(id)
        }
        if wakeup == .timedOut { scope?.cut(what) }
        return wakeup
    }
}
