public import _Concurrency

// The one file with a cancellation handler. On Swift 6.3.1 `withTaskCancellationHandler` runs its function on the generic executor unless
// that function captures the isolation it is to run on: every handler below does, and the repository test looks for it.
//
// A task that does not prefer the loop as its executor is queued once more wherever such a function begins, although it is on the loop
// already. So between a handler and what stands in it, and between a look and what follows from it, anything may happen.

// What others call is `nonisolated(nonsending)`: it begins where its caller is and ends there, and neither end is a switch of executors,
// which costs a task with a preferred one a lock of its status (counted: 270 instructions each). The waits that all others are made of
// suspend in the waiting room (WaitingRoom.swift).

extension Operations {
    /// Waits for an operation that was submitted by id, and takes its result.
    ///
    /// With a timeout, or when the task is cancelled, the operation is asked to end; its packet, or the grace after the request, ends the
    /// wait (C8, C9). Work that was done first is returned as finished. A timeout around the wait (``EventLoop/timeout(_:isolation:_:)``)
    /// counts as its own where it comes first.
    // A part of its caller, as all of these: a function of its own would be another frame for as long as the wait.
    @inlinable
    @inline(__always)
    public nonisolated(nonsending) func awaitOp(_ id: OperationID, timeout: Duration? = nil) async throws(OperationError) -> Outcome {
        try outcome(of: id, await awaitEnd(of: id, timeout: timeout))
    }

    /// As ``awaitOp(_:timeout:)``, and leaves the result with the operation, for ``takeFacts(_:)`` or ``withResult(_:_:)``: the wait that
    /// costs least. Where it ends as ``WaitEnd/stuck(_:)`` there is no result, and the id is dead.
    @inlinable
    @inline(__always)
    public nonisolated(nonsending) func awaitEnd(of id: OperationID, timeout: Duration? = nil) async throws(OperationError) -> WaitEnd {
        var scope: ScopeRef?
        let wakeup: Wakeup
        switch try expect(id, timeout, .cancellable, &scope, #isolation) {
        case .goOn: return .finished
        case .wait: wakeup = await waitingRoom.wakeup()
        case .listen: wakeup = try await listen(id, timeout, &scope, #isolation)
        }
        return wakeup == .signalled ? .finished : end(of: id, wakeup, scope)
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
    @inlinable
    @inline(__always)
    public nonisolated(nonsending) func awaitOpShielded(
        _ id: OperationID, timeout: Duration? = nil
    ) async throws(OperationError) -> Outcome {
        try outcome(of: id, await awaitEndShielded(of: id, timeout))
    }

    /// As ``perform(on:capacity:tag:timeout:file:line:_:)``, whatever becomes of the task: for its last words after it has been cancelled,
    /// and for loops that own their shutdown. Only its own timeout, ``cancel(_:)`` and the loop's end bound it.
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
            do throws(OperationError) {
                try retire(handle) { report in unsafe continuation.resume(returning: .success(report)) }
            } catch {
                unsafe continuation.resume(returning: .failure(error))
            }
        }
        return try answer.get()
    }

    /// Whether the calling task has been asked to end, as `Task.isCancelled` says, which retains the task for the time of the question: two
    /// locked instructions. Every wait of the seam asks by itself; this is for what an adapter does without one.
    public var isTaskCancelled: Bool { TaskIdentity.isCurrentCancelled }

    @inlinable
    @inline(__always)
    nonisolated(nonsending) func awaitEndShielded(
        of id: OperationID, _ timeout: Duration?
    ) async throws(OperationError) -> WaitEnd {
        var scope: ScopeRef?
        guard case .wait = try expect(id, timeout, .shielded, &scope, #isolation) else { return .finished }
        let wakeup = await waitingRoom.wakeup()
        return wakeup == .signalled ? .finished : end(of: id, wakeup, scope)
    }

    /// Says that the calling task is about to wait for an operation: if that is its next step, it MUST be taken at once. The scope is the
    /// timeout around the wait, where it is that which bounds it.
    @usableFromInline
    func expect(
        _ id: OperationID, _ timeout: Duration?, _ shield: Shield, _ scope: inout ScopeRef?, _ isolation: (any Actor)?
    ) throws(OperationError) -> NextStep {
        let cell = try ledger.find(id)
        if case .completed = cell.record.state { return .goOn(.signalled) }
        var awaited = try core.checkCanWait(cell)
        guard core.isHeard(shield, .operation(id)) else { return .listen }
        var nanoseconds = bound(timeout, shield, &scope)
        if core.isIdle, case .packet(.notAsked) = awaited, loop.lookedInPlace(core, within: &nanoseconds, shield, isolation) {
            awaited = try core.checkCanWait(cell)
            if case .itsTurn = awaited {
                core.meters.waitsInPlace &+= 1
                return .goOn(.signalled)
            }
        }
        core.enter(cell, nil, awaited, nanoseconds)
        core.arrival = .operation(cell, shield)
        return .wait
    }

    /// Waits in place for an operation of a kind, where nobody else has anything to run: true if it has completed, and the function of its
    /// kind has been called. False where the task has to wait as it would have without this, whatever the reason, and no longer than the
    /// timeout then says: what is left of it.
    ///
    /// For adapters whose operation is in flight whoever waits, and whose tasks wait for what it brings:
    ///
    /// ```swift
    /// if operations.endsInPlace(standingRead, timeout: &timeout) { continue }
    /// try await arrivals.wait(timeout: timeout)
    /// ```
    public func endsInPlace(_ id: OperationID, timeout: inout Duration?, isolation: (any Actor)? = #isolation) -> Bool {
        guard core.isIdle, let cell = try? ledger.find(id), case .waitingForKind = cell.record.stage else { return false }
        guard core.isHeard(.cancellable, .none) else { return false }
        var scope: ScopeRef?
        let bound = bound(timeout, .cancellable, &scope)
        var left = bound
        guard loop.lookedInPlace(core, within: &left, .cancellable, isolation) else { return false }
        if let bound, let left { timeout? -= .nanoseconds(Int64(clamping: bound - left)) }
        // Whoever else is to be told is told by the turn, and so is the caller then: in their order.
        guard case .completed = cell.record.state, ledger.settled.count == 1, ledger.notices.isEmpty else { return false }
        core.tellSettled()
        core.meters.waitsInPlace &+= 1
        return true
    }

    /// The bound of a wait: its own, or that of a timeout around it, where that comes first.
    @inline(__always)
    private func bound(_ timeout: Duration?, _ shield: Shield, _ scope: inout ScopeRef?) -> UInt64? {
        let nanoseconds = timeout?.wholeNanoseconds
        return core.openTimeouts > 0 && shield != .shielded ? boundByTimeouts(nanoseconds, &scope) : nanoseconds
    }

    @inline(never)
    private func boundByTimeouts(_ own: UInt64?, _ scope: inout ScopeRef?) -> UInt64? {
        let (nanoseconds, tightest) = core.earliest(own, loop)
        scope = tightest.map(ScopeRef.init)
        return nanoseconds
    }

    /// Waits, and listens for the task's cancellation: for a task that is no fiber of the loop's.
    @usableFromInline
    @inline(never)
    func listen(
        _ id: OperationID, _ timeout: Duration?, _ scope: inout ScopeRef?, _ isolation: isolated (any Actor)?
    ) async throws(OperationError) -> Wakeup {
        let loop = loop
        var refusal: OperationError?
        let wakeup = await withTaskCancellationHandler {
            _ = isolation  // captured, or this function runs off the actor
            do throws(OperationError) {
                guard case .wait = try expect(id, timeout, .listening, &scope, isolation) else { return Wakeup.signalled }
            } catch {
                refusal = error
                return Wakeup.closed
            }
            return await waitingRoom.wakeup()
        } onCancel: {
            loop.postCancel(id)
        }
        if let refusal { throw refusal }
        return wakeup
    }

    /// Starts what a task performs, unless it has been cancelled and minds.
    @usableFromInline
    func begin(
        _ handle: AssociatedHandle, _ capacity: Int, _ tag: UInt64, _ file: StaticString, _ line: UInt, _ shield: Shield,
        _ body: (consuming PreparedOp) -> Decision
    ) throws(OperationError) -> (id: OperationID, isDone: Bool) {
        guard shield == .shielded || !TaskIdentity.isCurrentCancelled else { throw .cancelled }
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

    /// How a wait ended that was not for the packet alone; tells the timeout around it if it was its time that was up.
    @usableFromInline
    @inline(never)
    func end(of id: OperationID, _ wakeup: Wakeup, _ scope: ScopeRef?) -> WaitEnd {
        let end = core.end(of: id, wakeup)
        if let scope { cut(scope.scope, id, end) }
        return end
    }

    private func cut(_ scope: TimeoutScope, _ id: OperationID, _ end: WaitEnd) {
        guard core.port.now() >= scope.deadline else { return }
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
        guard !TaskIdentity.isCurrentCancelled else { return .cancelled }
        let place = core.reserve(in: list, until: deadline, for: what, self)
        begun()
        return await wait(at: place)
    }

    /// Suspends the calling task in a place that was taken for it, which MUST be done once with each place.
    ///
    /// Whoever wakes the first of the list has found it since, also while it was still on its way here.
    // A part of its caller, as `awaitEnd` is.
    @inlinable
    @inline(__always)
    nonisolated(nonsending) func wait(at place: ParkID) async -> Wakeup { await wait(at: place, expect(place, .cancellable)) }

    /// As ``wait(at:)``, for a task that has said that it is about to wait there.
    @inlinable
    @inline(__always)
    nonisolated(nonsending) func wait(at place: ParkID, _ next: NextStep) async -> Wakeup {
        switch next {
        case .goOn(let wakeup): return wakeup
        case .wait: return await waitingRoom.wakeup()
        case .listen: return await listen(at: place, #isolation)
        }
    }

    /// Says that the calling task is about to wait in a place: if that is its next step, it MUST be taken at once.
    @usableFromInline
    nonisolated func expect(_ place: ParkID, _ shield: Shield) -> NextStep {
        let core = core
        if let wakeup = core.parked.takeWakeup(place) { return .goOn(wakeup) }
        return core.expect(place, shield)
    }

    /// As ``wait(at:)``, whatever becomes of the task.
    nonisolated(nonsending) func waitShielded(at place: ParkID) async -> Wakeup {
        if case .goOn(let wakeup) = expect(place, .shielded) { return wakeup }
        return await waitingRoom.wakeup()
    }

    /// Waits, and listens for the task's cancellation: for a task that is no fiber of the loop's.
    @usableFromInline
    @inline(never)
    func listen(at place: ParkID, _ isolation: isolated (any Actor)?) async -> Wakeup {
        await withTaskCancellationHandler {
            _ = isolation  // captured, or this function runs off the actor
            if case .goOn(let wakeup) = expect(place, .listening) { return wakeup }
            return await waitingRoom.wakeup()
        } onCancel: {
            self.postWake(place)
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
        let (place, next) = try begin(timeout)
        try ended(await loop.wait(at: place, next))
    }

    /// Takes a place, and says that the calling task is about to wait in it.
    @usableFromInline
    func begin(_ timeout: Duration?) throws(WaitError) -> (ParkID, NextStep) {
        let place = try core.takePlace(in: list, timeout: timeout, for: what, loop)
        return (place, core.expect(place, .cancellable))
    }

    @usableFromInline
    func ended(_ wakeup: Wakeup) throws(WaitError) {
        try wakeup.get()
        // Whose executor went elsewhere meanwhile is told, before it looks at what belongs to the loop.
        _ = loop.core
    }

    /// As ``wait(timeout:)``, whatever becomes of the task: its own timeout and the loop's end bound it, nothing else.
    public nonisolated(nonsending) func waitShielded(timeout: Duration? = nil) async throws(WaitError) {
        let place = try core.takeShieldedPlace(in: list, timeout: timeout)
        try await loop.waitShielded(at: place).get()
    }
}
