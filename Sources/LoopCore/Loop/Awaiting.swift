public import _Concurrency

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
    // A part of its caller, as all of these: a function of its own would be another frame for as long as the wait.
    // SAFETY: a record that takes the continuation hands it out once (L5).
    @inlinable
    @inline(__always)
    public nonisolated(nonsending) func awaitOp(_ id: OperationID, timeout: Duration? = nil) async throws(OperationError) -> Outcome {
        try outcome(of: id, await awaitEnd(of: id, timeout: timeout))
    }

    /// As ``awaitOp(_:timeout:)``, and leaves the result with the operation, for ``takeFacts(_:)`` or ``withResult(_:_:)``: the wait that
    /// costs least. Where it ends as ``WaitEnd/stuck(_:)`` there is no result, and the id is dead.
    // SAFETY: as for `awaitOp`.
    @inlinable
    @inline(__always)
    public nonisolated(nonsending) func awaitEnd(of id: OperationID, timeout: Duration? = nil) async throws(OperationError) -> WaitEnd {
        var wait = OperationWait()
        var end = unsafe await _unsafeInheritExecutor_withUnsafeContinuation { unsafe suspend(id, timeout, .cancellable, &wait, $0) }
        if !wait.hasBegun { end = try await listen(id, timeout, &wait, #isolation) }
        if case .finished = end { return end }
        cut(wait, id, end)
        return end
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
    @inlinable
    @inline(__always)
    public nonisolated(nonsending) func perform(
        on handle: AssociatedHandle, capacity: Int = 0, tag: UInt64 = 0, timeout: Duration? = nil, file: StaticString = #fileID,
        line: UInt = #line, _ body: (consuming PreparedOp) -> Decision
    ) async throws(OperationError) -> Outcome {
        let begun = try begin(handle, capacity, tag, file, line, .cancellable, body)
        if begun.isDone { return try result(begun.id) }
        return try outcome(of: begun.id, await awaitEnd(of: begun.id, timeout: timeout))
    }

    /// As ``awaitOp(_:timeout:)``, whatever becomes of the task: for its last words after it has been cancelled, and for loops that own
    /// their shutdown. Only its own timeout, ``cancel(_:)`` and the loop's end bound it.
    // SAFETY: as for `awaitOp`.
    @inlinable
    @inline(__always)
    public nonisolated(nonsending) func awaitOpShielded(
        _ id: OperationID, timeout: Duration? = nil
    ) async throws(OperationError) -> Outcome {
        try outcome(of: id, await awaitEndShielded(of: id, timeout))
    }

    /// As ``perform(on:capacity:tag:timeout:file:line:_:)``, whatever becomes of the task: for its last words after it has been cancelled,
    /// and for loops that own their shutdown. Only its own timeout, ``cancel(_:)`` and the loop's end bound it.
    // SAFETY: as for `awaitOp`.
    @inlinable
    @inline(__always)
    public nonisolated(nonsending) func performShielded(
        on handle: AssociatedHandle, capacity: Int = 0, tag: UInt64 = 0, timeout: Duration? = nil, file: StaticString = #fileID,
        line: UInt = #line, _ body: (consuming PreparedOp) -> Decision
    ) async throws(OperationError) -> Outcome {
        let begun = try begin(handle, capacity, tag, file, line, .shielded, body)
        if begun.isDone { return try result(begun.id) }
        return try outcome(of: begun.id, await awaitEndShielded(of: begun.id, timeout))
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

    // SAFETY: as for `awaitOp`.
    @inlinable
    @inline(__always)
    nonisolated(nonsending) func awaitEndShielded(
        of id: OperationID, _ timeout: Duration?
    ) async throws(OperationError) -> WaitEnd {
        var wait = OperationWait()
        let end = unsafe await _unsafeInheritExecutor_withUnsafeContinuation { unsafe suspend(id, timeout, .shielded, &wait, $0) }
        if !wait.hasBegun { _ = try mustWait(for: id) }
        return end
    }

    /// Whether there is something to wait for: not where the operation has completed already. Throws what a wait is refused for.
    @usableFromInline
    @inline(never)
    func mustWait(for id: OperationID) throws(OperationError) -> Bool {
        let cell = try ledger.find(id)
        if case .completed = cell.record.state { return false }
        try core.checkCanWait(cell)
        return true
    }

    /// Parks the task in the operation's record until the packet, or the grace after a cancel, resumes it.
    ///
    /// Where there is nothing to wait for, where the wait is refused, and where nobody would hear that the task is cancelled, because it is
    /// no fiber of the loop's, it is resumed at once, and the wait has not begun.
    // SAFETY: as for `awaitOp`.
    @usableFromInline
    func suspend(
        _ id: OperationID, _ timeout: Duration?, _ shield: Shield, _ wait: inout OperationWait,
        _ continuation: UnsafeContinuation<WaitEnd, Never>
    ) {
        let task = unsafe SuspendedTask(continuation)
        guard let cell = ledger.usual(id), case .submitted = cell.record.state, let awaited = try? core.checkCanWait(cell),
            shield == .shielded || core.fibers.note(task.identity, .operation(id))
        else { return task.resume(.finished) }
        wait.hasBegun = true
        // The function that submitted it may have cancelled the task, when it did not wait yet.
        if shield == .cancellable, task.isCancelled { core.postedCancels.append(id) }
        core.enter(cell, .task(task), awaited, bound(timeout, shield, &wait))
    }

    /// The bound of a wait: its own, or that of a timeout around it, where that comes first.
    @inline(__always)
    private func bound(_ timeout: Duration?, _ shield: Shield, _ wait: inout OperationWait) -> UInt64? {
        let nanoseconds = timeout?.wholeNanoseconds
        return core.openTimeouts > 0 && shield == .cancellable ? boundByTimeouts(nanoseconds, &wait) : nanoseconds
    }

    @inline(never)
    private func boundByTimeouts(_ own: UInt64?, _ wait: inout OperationWait) -> UInt64? {
        let (nanoseconds, scope) = core.earliest(own, loop)
        wait.scope = scope.map(ScopeRef.init)
        return nanoseconds
    }

    /// What is left of a wait that has not begun: nothing, or a refusal, or it is that of a task which is no fiber of the loop's, and
    /// listens for its cancellation itself.
    // SAFETY: as for `awaitOp`.
    @usableFromInline
    @inline(never)
    func listen(
        _ id: OperationID, _ timeout: Duration?, _ wait: inout OperationWait, _ isolation: isolated (any Actor)?
    ) async throws(OperationError) -> WaitEnd {
        guard try mustWait(for: id) else { return .finished }
        let loop = loop
        let nanoseconds = bound(timeout, .cancellable, &wait)
        var refusal: OperationError?
        let end = await withTaskCancellationHandler {
            _ = isolation  // captured, or this function runs off the actor
            return unsafe await withUnsafeContinuation { refusal = enter(id, nanoseconds, unsafe SuspendedTask($0)) }
        } onCancel: {
            loop.postCancel(id)
        }
        if let refusal { throw refusal }
        return end
    }

    /// As ``suspend(_:_:_:_:_:)``, for a task whose cancellation is heard by a handler. A refusal resumes it at once.
    private func enter(_ id: OperationID, _ nanoseconds: UInt64?, _ task: SuspendedTask<WaitEnd>) -> OperationError? {
        do throws(OperationError) {
            try core.wait(ledger.find(id), .task(task), timeoutNanoseconds: nanoseconds)
            // A cancel since the handler was installed may have found nobody waiting. A second one is harmless.
            if Task.isCancelled { core.postedCancels.append(id) }
            return nil
        } catch {
            task.resume(.finished)
            return error
        }
    }

    /// Starts what a task performs, unless it has been cancelled and minds.
    @usableFromInline
    func begin(
        _ handle: AssociatedHandle, _ capacity: Int, _ tag: UInt64, _ file: StaticString, _ line: UInt, _ shield: Shield,
        _ body: (consuming PreparedOp) -> Decision
    ) throws(OperationError) -> (id: OperationID, isDone: Bool) {
        guard shield == .shielded || !Task.isCancelled else { throw .cancelled }
        return try start(handle, capacity, tag, .none, SourcePlace(file: file, line: line), inline: .allowed, body)
    }

    /// Takes the result of a wait that has ended.
    @inlinable
    @inline(__always)
    func outcome(of id: OperationID, _ end: WaitEnd) throws(OperationError) -> Outcome {
        if case .finished = end { return try result(id) }
        return try outcomeOutOfLine(of: id, end)
    }

    @usableFromInline
    @inline(never)
    func outcomeOutOfLine(of id: OperationID, _ end: WaitEnd) throws(OperationError) -> Outcome {
        if case .stuck(let operation) = end { return Outcome(stuck: operation) }
        return try ledger.take(ledger.find(id), end: end)
    }

    /// Tells the timeout around a wait that was ended if it was its time that was up.
    @usableFromInline
    @inline(never)
    func cut(_ wait: OperationWait, _ id: OperationID, _ end: WaitEnd) {
        guard let scope = wait.scope?.scope, core.port.now() >= scope.deadline else { return }
        switch end {
        case .finished, .cancelled: break  // A cancel was first, and its packet came when the time was up as well.
        case .timedOut:
            guard let cell = ledger.usual(id) else { return }
            scope.cut(.operation(handle: cell.handle.entry.native, tag: cell.record.tag))
        case .stuck(let operation) where operation.cause == .timedOut:
            scope.cut(.operation(handle: operation.handle, tag: operation.tag))
        case .stuck: break  // So it was there, and no packet came in the grace.
        }
    }
}

/// What a wait for an operation came to when it began. It is kept while the wait lasts, so there is not much of it.
@usableFromInline
struct OperationWait {
    /// Whether the operation's record has the task.
    @usableFromInline var hasBegun = false
    /// The timeout around the wait, where it is that which bounds it.
    @usableFromInline var scope: ScopeRef?

    @inlinable
    init() {}
}

/// Whether a wait ends when its task is cancelled.
@usableFromInline
enum Shield {
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
    // A part of its caller, as `awaitEnd` is.
    // SAFETY: the place hands the continuation out once.
    @inlinable
    @inline(__always)
    nonisolated(nonsending) func wait(at place: WaitPlace) async -> Wakeup {
        var hasBegun = false
        var wakeup = unsafe await _unsafeInheritExecutor_withUnsafeContinuation { hasBegun = unsafe suspend(in: place, $0) }
        if !hasBegun { wakeup = await listen(at: place, #isolation) }
        if wakeup == .timedOut { timedOut(place) }
        return wakeup
    }

    // SAFETY: as above.
    @usableFromInline
    nonisolated func suspend(in place: WaitPlace, _ continuation: UnsafeContinuation<Wakeup, Never>) -> Bool {
        core.suspendFiber(place.id, unsafe SuspendedTask(continuation), until: place.deadline)
    }

    @usableFromInline
    nonisolated func timedOut(_ place: WaitPlace) { place.scope?.scope.cut(place.what) }

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
    @usableFromInline
    @inline(never)
    func listen(at place: WaitPlace, _ isolation: isolated (any Actor)?) async -> Wakeup {
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
    @inlinable
    @inline(__always)
    public nonisolated(nonsending) func wait(timeout: Duration? = nil) async throws(WaitError) {
        try ended(await loop.wait(at: try takePlace(timeout)))
    }

    @usableFromInline
    func takePlace(_ timeout: Duration?) throws(WaitError) -> WaitPlace {
        try core.takePlace(in: list, timeout: timeout, for: what, loop)
    }

    @usableFromInline
    func ended(_ wakeup: Wakeup) throws(WaitError) {
        try wakeup.get()
        // Whose executor went elsewhere meanwhile is told, before it looks at what belongs to the loop.
        _ = loop.core
    }

    /// As ``wait(timeout:)``, whatever becomes of the task: its own timeout and the loop's end bound it, nothing else.
    public nonisolated(nonsending) func waitShielded(timeout: Duration? = nil) async throws(WaitError) {
        let place = try core.takeShieldedPlace(in: list, timeout: timeout, for: what)
        try await loop.waitShielded(at: place).get()
    }
}
