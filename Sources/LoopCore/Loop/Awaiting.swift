internal import _Concurrency

// The one file with a cancellation handler. On Swift 6.3.1 `withTaskCancellationHandler` runs its function on the generic executor unless
// that function captures the isolation it is to run on: every handler below does, and the repository test looks for it.
//
// A task that does not prefer the loop as its executor is queued once more wherever such a function begins, although it is on the loop
// already. So between a handler and what stands in it, and between a look and what follows from it, anything may happen.

// What others call is `nonisolated(nonsending)`: it begins where its caller is and ends there, and neither end is a switch of executors,
// which costs a task with a preferred one a lock of its status (counted: 270 instructions each). The waits that all others are made of
// suspend by the standard library's own form for functions that stay where they are: `withUnsafeContinuation` switches before it suspends,
// too.

extension Operations {
    /// Waits for an operation that was submitted by id, and takes its result.
    ///
    /// With a timeout, or when the task is cancelled, the operation is asked to end; its packet, or the grace after the request, ends the
    /// wait (C8, C9). Work that was done first is returned as finished. A timeout around the wait (``EventLoop/timeout(_:isolation:_:)``)
    /// counts as its own where it comes first.
    // SAFETY: a record that takes the continuation hands it out once (L5).
    public nonisolated(nonsending) func awaitOp(_ id: OperationID, timeout: Duration? = nil) async throws(OperationError) -> Outcome {
        guard let wait = try beginWait(id, timeout, .cancellable) else { return try result(id) }
        var isHeard = true
        var end = unsafe await _unsafeInheritExecutor_withUnsafeContinuation { isHeard = suspend(wait, unsafe SuspendedTask($0)) }
        if !isHeard { end = try await listen(wait, #isolation) }
        return try finish(wait, end)
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
    public nonisolated(nonsending) func perform(
        on handle: AssociatedHandle, capacity: Int = 0, tag: UInt64 = 0, timeout: Duration? = nil, file: StaticString = #fileID,
        line: UInt = #line, _ body: (consuming PreparedOp) -> Decision
    ) async throws(OperationError) -> Outcome {
        guard !Task.isCancelled else { throw .cancelled }
        let (id, isDone) = try start(handle, capacity, tag, .none, SourcePlace(file: file, line: line), inline: .allowed, body)
        guard !isDone, let wait = try beginWait(id, timeout, .cancellable) else { return try result(id) }
        var isHeard = true
        var end = unsafe await _unsafeInheritExecutor_withUnsafeContinuation { isHeard = suspend(wait, unsafe SuspendedTask($0)) }
        if !isHeard { end = try await listen(wait, #isolation) }
        return try finish(wait, end)
    }

    /// As ``awaitOp(_:timeout:)``, whatever becomes of the task: for its last words after it has been cancelled, and for loops that own
    /// their shutdown. Only its own timeout, ``cancel(_:)`` and the loop's end bound it.
    // SAFETY: as for `awaitOp`.
    public nonisolated(nonsending) func awaitOpShielded(
        _ id: OperationID, timeout: Duration? = nil
    ) async throws(OperationError) -> Outcome {
        guard let wait = try beginWait(id, timeout, .shielded) else { return try result(id) }
        let end = unsafe await _unsafeInheritExecutor_withUnsafeContinuation { _ = suspend(wait, unsafe SuspendedTask($0)) }
        return try finish(wait, end)
    }

    /// As ``perform(on:capacity:tag:timeout:file:line:_:)``, whatever becomes of the task: for its last words after it has been cancelled,
    /// and for loops that own their shutdown. Only its own timeout, ``cancel(_:)`` and the loop's end bound it.
    // SAFETY: as for `awaitOp`.
    public nonisolated(nonsending) func performShielded(
        on handle: AssociatedHandle, capacity: Int = 0, tag: UInt64 = 0, timeout: Duration? = nil, file: StaticString = #fileID,
        line: UInt = #line, _ body: (consuming PreparedOp) -> Decision
    ) async throws(OperationError) -> Outcome {
        let (id, isDone) = try start(handle, capacity, tag, .none, SourcePlace(file: file, line: line), inline: .allowed, body)
        guard !isDone, let wait = try beginWait(id, timeout, .shielded) else { return try result(id) }
        let end = unsafe await _unsafeInheritExecutor_withUnsafeContinuation { _ = suspend(wait, unsafe SuspendedTask($0)) }
        return try finish(wait, end)
    }

    /// Retires a handle and waits until it is the caller's again, for at most the cancel grace: ``retire(_:_:)`` for tasks.
    ///
    /// Cancelling the task does not shorten it: what follows is the close, and that is safe only afterwards.
    // SAFETY: a retire that is not refused tells its waiter once.
    public nonisolated(nonsending) func awaitRetire(_ handle: AssociatedHandle) async throws(OperationError) -> RetireReport {
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
    private func beginWait(_ id: OperationID, _ timeout: Duration?, _ shield: Shield) throws(OperationError) -> OperationWait? {
        let cell = try ledger.find(id)
        if case .completed = cell.record.state { return nil }
        var wait = OperationWait(id: id, awaited: try core.checkCanWait(cell), shield: shield)
        if let timeout { wait.nanoseconds = timeout.wholeNanoseconds }
        if core.openTimeouts > 0, shield == .cancellable { bound(&wait) }
        return wait
    }

    @inline(never)
    private func bound(_ wait: inout OperationWait) {
        let (nanoseconds, scope) = core.earliest(wait.nanoseconds, loop)
        wait.nanoseconds = nanoseconds
        wait.scope = scope.map(ScopeRef.init)
    }

    /// Parks the task in the operation's record until the packet, or the grace after a cancel, resumes it. False, and the task resumed, if
    /// nobody would hear that it is cancelled: it is no fiber of the loop's.
    private func suspend(_ wait: OperationWait, _ task: SuspendedTask<WaitEnd>) -> Bool {
        if wait.shield == .cancellable {
            guard let isCancelled = core.fibers.note(task.identity, .operation(wait.id)) else {
                task.resume(.finished)
                return false
            }
            // The function that submitted it may have cancelled the task, when it did not wait yet.
            if isCancelled { core.postedCancels.append(wait.id) }
        }
        // Nothing has come between the look that found the operation and this.
        guard let cell = ledger.usual(wait.id) else { trapVanished() }
        core.enter(cell, .task(task), wait.awaited, wait.nanoseconds)
        return true
    }

    @inline(never)
    private func trapVanished() -> Never { trap("An operation was gone before its wait began. This is a bug of Portloop.") }

    /// Waits, and listens for the task's cancellation: for a task that is no fiber of the loop's.
    // SAFETY: as for `awaitOp`.
    @inline(never)
    private func listen(_ wait: OperationWait, _ isolation: isolated (any Actor)?) async throws(OperationError) -> WaitEnd {
        let loop = loop
        var refusal: OperationError?
        let end = await withTaskCancellationHandler {
            _ = isolation  // captured, or this function runs off the actor
            return unsafe await withUnsafeContinuation { refusal = enter(wait, unsafe SuspendedTask($0)) }
        } onCancel: {
            loop.postCancel(wait.id)
        }
        if let refusal { throw refusal }
        return end
    }

    /// As ``suspend(_:_:)``, for a task whose cancellation is heard by a handler. A refusal resumes it at once.
    private func enter(_ wait: OperationWait, _ task: SuspendedTask<WaitEnd>) -> OperationError? {
        do throws(OperationError) {
            try core.wait(ledger.find(wait.id), .task(task), timeoutNanoseconds: wait.nanoseconds)
            // A cancel since the handler was installed may have found nobody waiting. A second one is harmless.
            if Task.isCancelled { core.postedCancels.append(wait.id) }
            return nil
        } catch {
            task.resume(.finished)
            return error
        }
    }

    /// Takes the result of a wait that has ended.
    private func finish(_ wait: OperationWait, _ end: WaitEnd) throws(OperationError) -> Outcome {
        if case .finished = end { return try result(wait.id) }
        return try finishOutOfLine(wait, end)
    }

    @inline(never)
    private func finishOutOfLine(_ wait: OperationWait, _ end: WaitEnd) throws(OperationError) -> Outcome {
        if case .stuck(let operation) = end {
            cut(wait, .operation(handle: operation.handle, tag: operation.tag))
            return Outcome(stuck: operation)
        }
        let cell = try ledger.find(wait.id)
        cut(wait, .operation(handle: cell.handle.entry.native, tag: cell.record.tag))
        return try ledger.take(cell, end: end)
    }

    /// Tells the timeout around the wait if it was its time that was up.
    private func cut(_ wait: OperationWait, _ what: WaitedFor) {
        if let scope = wait.scope?.scope, core.port.now() >= scope.deadline { scope.cut(what) }
    }
}

/// One wait for an operation: what bounds it, and which timeout around it that is, if it is one.
private struct OperationWait {
    let id: OperationID
    let awaited: Awaited
    let shield: Shield
    var nanoseconds: UInt64?
    var scope: ScopeRef?
}

/// Whether a wait ends when its task is cancelled.
private enum Shield {
    case cancellable
    case shielded
}

extension EventLoop {
    /// Suspends the calling task on the loop until somebody wakes it, its deadline passes, it is cancelled, or the loop ends.
    ///
    /// For waits that begin here, with the call. What looks at a state first and waits then takes its place together with the look
    /// (``Core/takePlace(in:timeout:for:_:)``), and waits in it (``wait(at:)``).
    /// `begun` is called when the place is taken, and not at all where nothing is waited for.
    nonisolated(nonsending) func park(
        in list: WaitList?, until deadline: MonotonicInstant?, for what: WaitedFor, _ begun: () -> Void = {}
    ) async -> Wakeup {
        let core = core
        guard !core.isClosing else { return .closed }
        guard !Task.isCancelled else { return .cancelled }
        let place = core.reserve(in: list, until: deadline, for: what, self)
        begun()
        return await wait(at: place)
    }

    /// Suspends the calling task in a place that was taken for it, which MUST be done once with each place.
    ///
    /// Whoever wakes the first of the list has found it since, also while it was still on its way here.
    // SAFETY: the place hands the continuation out once.
    nonisolated(nonsending) func wait(at place: WaitPlace) async -> Wakeup {
        let core = core
        var isHeard = true
        var wakeup = unsafe await _unsafeInheritExecutor_withUnsafeContinuation {
            (continuation: UnsafeContinuation<Wakeup, Never>) in
            isHeard = core.suspendFiber(place.id, unsafe SuspendedTask(continuation), until: place.deadline)
        }
        if !isHeard { wakeup = await listen(at: place, #isolation) }
        if wakeup == .timedOut { place.scope?.scope.cut(place.what) }
        return wakeup
    }

    /// As ``wait(at:)``, whatever becomes of the task.
    // SAFETY: as above.
    nonisolated(nonsending) func waitShielded(at place: WaitPlace) async -> Wakeup {
        let core = core
        return unsafe await _unsafeInheritExecutor_withUnsafeContinuation { (continuation: UnsafeContinuation<Wakeup, Never>) in
            core.suspend(place.id, unsafe SuspendedTask(continuation), until: place.deadline)
        }
    }

    /// Waits, and listens for the task's cancellation: for a task that is no fiber of the loop's.
    // SAFETY: as above.
    @inline(never)
    private func listen(at place: WaitPlace, _ isolation: isolated (any Actor)?) async -> Wakeup {
        let (id, deadline) = (place.id, place.deadline)
        return await withTaskCancellationHandler {
            _ = isolation  // captured, or this function runs off the actor
            return unsafe await withUnsafeContinuation { (continuation: UnsafeContinuation<Wakeup, Never>) in
                self.core.suspend(id, unsafe SuspendedTask(continuation), until: deadline)
            }
        } onCancel: {
            self.postWake(id)
        }
    }
}

extension WaitQueue {
    /// Suspends the calling task until somebody wakes it.
    ///
    /// It throws when the time is up, that of the call or that of a ``EventLoop/timeout(_:isolation:_:)`` around it, when the task is
    /// cancelled, and when the loop ends. A task that was woken first returns all the same.
    public nonisolated(nonsending) func wait(timeout: Duration? = nil) async throws(WaitError) {
        let place = try core.takePlace(in: list, timeout: timeout, for: what, loop)
        try await loop.wait(at: place).get()
        // Whose executor went elsewhere meanwhile is told, before it looks at what belongs to the loop.
        _ = loop.core
    }

    /// As ``wait(timeout:)``, whatever becomes of the task: its own timeout and the loop's end bound it, nothing else.
    public nonisolated(nonsending) func waitShielded(timeout: Duration? = nil) async throws(WaitError) {
        let place = try core.takeShieldedPlace(in: list, timeout: timeout, for: what)
        try await loop.waitShielded(at: place).get()
    }
}
