public import _Concurrency

// The one file with a cancellation handler. On Swift 6.3.1 `withTaskCancellationHandler` runs its function on the generic executor unless
// that function captures the isolation it is to run on: every handler below does, and the repository test looks for it.
//
// A task that does not prefer the loop as its executor is queued once more wherever such a function begins, although it is on the loop
// already. So between a handler and what stands in it, and between a look and what follows from it, anything may happen.

// The functions here are flat, and say the same thing twice rather than call each other: every async call that returns to an isolation
// costs a task with a preferred executor a lock (counted: 300 instructions each way).

extension Operations {
    /// Waits for an operation that was submitted by id, and takes its result.
    ///
    /// With a timeout, or when the task is cancelled, the operation is asked to end; its packet, or the grace after the request, ends the
    /// wait (C8, C9). Work that was done first is returned as finished. A timeout around the wait (``EventLoop/timeout(_:isolation:_:)``)
    /// counts as its own where it comes first.
    // SAFETY: a record that takes the continuation hands it out once (L5).
    public func awaitOp(
        _ id: OperationID, timeout: Duration? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws(OperationError) -> Outcome {
        guard let wait = try beginWait(id, timeout) else { return try result(id) }
        let loop = loop
        var refusal: OperationError?
        let end = await withTaskCancellationHandler {
            _ = isolation  // captured, or this function runs off the actor
            return unsafe await withUnsafeContinuation { refusal = suspend(wait, unsafe SuspendedTask($0)) }
        } onCancel: {
            loop.postCancel(id)
        }
        return try finish(wait, end, refusal)
    }

    /// Performs one operation: lends `body` a ``PreparedOp``, and returns what became of it.
    ///
    /// ```swift
    /// let outcome = try await ops.perform(on: handle, capacity: 4096) { op in op.read() }
    /// ```
    ///
    /// `body` runs at once, where the caller runs, so it may touch the caller's state. With a timeout, or when the task is cancelled, the
    /// operation is asked to end and its packet decides: bytes that came first are returned as ``WaitEnd/finished``. A task that is
    /// cancelled already submits nothing and throws ``OperationError/cancelled``.
    // SAFETY: as for `awaitOp`.
    public func perform(
        on handle: AssociatedHandle, capacity: Int = 0, tag: UInt64 = 0, timeout: Duration? = nil,
        isolation: isolated (any Actor)? = #isolation, file: StaticString = #fileID, line: UInt = #line,
        _ body: (consuming PreparedOp) -> Decision
    ) async throws(OperationError) -> Outcome {
        guard !Task.isCancelled else { throw .cancelled }
        let (id, isDone) = try start(handle, capacity, tag, .none, SourcePlace(file: file, line: line), inline: .allowed, body)
        guard !isDone, let wait = try beginWait(id, timeout) else { return try result(id) }
        let loop = loop
        var refusal: OperationError?
        let end = await withTaskCancellationHandler {
            _ = isolation  // captured, or this function runs off the actor
            return unsafe await withUnsafeContinuation { refusal = suspend(wait, unsafe SuspendedTask($0)) }
        } onCancel: {
            loop.postCancel(id)
        }
        return try finish(wait, end, refusal)
    }

    /// As ``awaitOp(_:timeout:isolation:)``, whatever becomes of the task: for its last words after it has been cancelled, and for loops
    /// that own their shutdown. It costs half, and only its own timeout, ``cancel(_:)`` and the loop's end bound it.
    // SAFETY: as for `awaitOp`.
    public func awaitOpShielded(
        _ id: OperationID, timeout: Duration? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws(OperationError) -> Outcome {
        guard let wait = try beginWait(id, timeout, isShielded: true) else { return try result(id) }
        var refusal: OperationError?
        let end = unsafe await withUnsafeContinuation { refusal = suspend(wait, unsafe SuspendedTask($0)) }
        return try finish(wait, end, refusal)
    }

    /// As ``perform(on:capacity:tag:timeout:isolation:file:line:_:)``, whatever becomes of the task: for its last words after it has been
    /// cancelled, and for loops that own their shutdown. It costs half, and only its own timeout, ``cancel(_:)`` and the loop's end bound
    /// it.
    // SAFETY: as for `awaitOp`.
    public func performShielded(
        on handle: AssociatedHandle, capacity: Int = 0, tag: UInt64 = 0, timeout: Duration? = nil,
        isolation: isolated (any Actor)? = #isolation, file: StaticString = #fileID, line: UInt = #line,
        _ body: (consuming PreparedOp) -> Decision
    ) async throws(OperationError) -> Outcome {
        let (id, isDone) = try start(handle, capacity, tag, .none, SourcePlace(file: file, line: line), inline: .allowed, body)
        guard !isDone, let wait = try beginWait(id, timeout, isShielded: true) else { return try result(id) }
        var refusal: OperationError?
        let end = unsafe await withUnsafeContinuation { refusal = suspend(wait, unsafe SuspendedTask($0)) }
        return try finish(wait, end, refusal)
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

    /// What a wait for an operation is bounded by; nil where it has completed already.
    private func beginWait(_ id: OperationID, _ timeout: Duration?, isShielded: Bool = false) throws(OperationError) -> OperationWait? {
        let cell = try ledger.find(id)
        if case .completed = cell.record.state { return nil }
        try core.checkCanWait(cell)
        var wait = OperationWait(id: id, nanoseconds: timeout?.wholeNanoseconds, isShielded: isShielded)
        if core.openTimeouts > 0, !isShielded { bound(&wait, cell) }
        return wait
    }

    @inline(never)
    private func bound(_ wait: inout OperationWait, _ cell: Cell) {
        let (nanoseconds, scope) = core.earliest(wait.nanoseconds, loop)
        wait.nanoseconds = nanoseconds
        wait.scope = scope
        wait.what = .operation(handle: cell.handle.entry.native, tag: cell.record.tag)
    }

    /// Parks the task in the operation's record until the packet, or the grace after a cancel, resumes it. A refusal resumes it at once.
    private func suspend(_ wait: OperationWait, _ task: SuspendedTask<WaitEnd>) -> OperationError? {
        do throws(OperationError) {
            try core.wait(ledger.find(wait.id), .task(task), timeoutNanoseconds: wait.nanoseconds)
            // A cancel since the handler was installed may have found nobody waiting. A second one is harmless.
            if !wait.isShielded, Task.isCancelled { core.postedCancels.append(wait.id) }
            return nil
        } catch {
            task.resume(.finished)
            return error
        }
    }

    /// Takes the result of a wait that has ended.
    private func finish(_ wait: OperationWait, _ end: WaitEnd, _ refusal: OperationError?) throws(OperationError) -> Outcome {
        if let refusal { throw refusal }
        if let scope = wait.scope, end != .finished, core.port.now() >= scope.deadline { scope.cut(wait.what) }
        if case .stuck(let operation) = end { return Outcome(stuck: operation) }
        return try ledger.take(ledger.find(wait.id), end: end)
    }
}

/// One wait for an operation: what bounds it, and which timeout around it that is, if it is one.
private struct OperationWait {
    let id: OperationID
    var nanoseconds: UInt64?
    let isShielded: Bool
    var scope: TimeoutScope?
    var what = WaitedFor.nothing
}

extension EventLoop {
    /// Suspends the calling task on the loop until somebody wakes it, its deadline passes, it is cancelled, or the loop ends.
    ///
    /// For waits that begin here, with the call. What looks at a state first and waits then takes its place together with the look
    /// (``Core/takePlace(in:timeout:for:_:)``), and waits in it (``wait(at:isolation:)``).
    /// `begun` is called when the place is taken, and not at all where nothing is waited for.
    func park(
        in list: WaitList?, until deadline: MonotonicInstant?, for what: WaitedFor, isolation: isolated (any Actor)? = #isolation,
        _ begun: () -> Void = {}
    ) async -> Wakeup {
        let core = core
        guard !core.isClosing else { return .closed }
        guard !Task.isCancelled else { return .cancelled }
        let place = core.reserve(in: list, until: deadline, for: what, self)
        begun()
        return await wait(at: place, isolation: isolation)
    }

    /// Suspends the calling task in a place that was taken for it, which MUST be done once with each place.
    ///
    /// Whoever wakes the first of the list has found it since, also while it was still on its way here.
    // SAFETY: the place hands the continuation out once.
    func wait(at place: WaitPlace, isolation: isolated (any Actor)? = #isolation) async -> Wakeup {
        let wakeup = await withTaskCancellationHandler {
            _ = isolation  // captured, or this function runs off the actor
            return unsafe await withUnsafeContinuation { (continuation: UnsafeContinuation<Wakeup, Never>) in
                let task = unsafe SuspendedTask(continuation)
                self.core.suspend(place.id, task, until: place.deadline)
            }
        } onCancel: {
            self.postWake(place.id)
        }
        if wakeup == .timedOut { place.scope?.cut(place.what) }
        return wakeup
    }

    /// As ``wait(at:isolation:)``, whatever becomes of the task.
    // SAFETY: as above.
    func waitShielded(at place: WaitPlace, isolation: isolated (any Actor)? = #isolation) async -> Wakeup {
        unsafe await withUnsafeContinuation { (continuation: UnsafeContinuation<Wakeup, Never>) in
            let task = unsafe SuspendedTask(continuation)
            core.suspend(place.id, task, until: place.deadline)
        }
    }
}

extension WaitQueue {
    /// Suspends the calling task until somebody wakes it.
    ///
    /// It throws when the time is up, that of the call or that of a ``EventLoop/timeout(_:isolation:_:)`` around it, when the task is
    /// cancelled, and when the loop ends. A task that was woken first returns all the same.
    // SAFETY: the place hands the continuation out once.
    public func wait(timeout: Duration? = nil, isolation: isolated (any Actor)? = #isolation) async throws(WaitError) {
        let place = try core.takePlace(in: list, timeout: timeout, for: what, loop)
        let (loop, core) = (loop, core)
        let wakeup = await withTaskCancellationHandler {
            _ = isolation  // captured, or this function runs off the actor
            return unsafe await withUnsafeContinuation { (continuation: UnsafeContinuation<Wakeup, Never>) in
                core.suspend(place.id, unsafe SuspendedTask(continuation), until: place.deadline)
            }
        } onCancel: {
            loop.postWake(place.id)
        }
        if wakeup == .timedOut { place.scope?.cut(place.what) }
        try wakeup.get()
    }

    /// As ``wait(timeout:isolation:)``, whatever becomes of the task: its own timeout and the loop's end bound it, nothing else.
    public func waitShielded(timeout: Duration? = nil, isolation: isolated (any Actor)? = #isolation) async throws(WaitError) {
        let place = try core.takeShieldedPlace(in: list, timeout: timeout, for: what)
        try await loop.waitShielded(at: place).get()
    }
}
