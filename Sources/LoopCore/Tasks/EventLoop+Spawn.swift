public import _Concurrency

extension EventLoop {
    /// Starts a fiber: a task that runs on the loop, wherever this is called from. It begins when the loop next runs its jobs.
    ///
    /// ``run(_:)`` waits for it. What it throws is reported with its name and ends the run: the other fibers are cancelled, and `run`
    /// throws the error. What a fiber throws that has been cancelled is nobody's failure.
    // Inlinable, here and below, because generic code of another module is not specialised otherwise: a third of a spawn (counted).
    @_disfavoredOverload
    @inlinable
    @discardableResult
    public nonisolated func spawn<R: Sendable, E: Error>(
        name: String? = nil, priority: TaskPriority? = nil, file: StaticString = #fileID, line: UInt = #line,
        _ body: @escaping @Sendable (isolated EventLoop) async throws(E) -> R
    ) -> Fiber<R, E> {
        let ticket = admitFiber(name, file, line)
        let task = startTask(name, priority) { await self.runFiber(ticket, body) }
        enter(task, in: ticket.slot)
        return Fiber(loop: self, task: task)
    }

    /// Starts a fiber that throws nothing: as the general form.
    // A form of its own, because the compiler does not specialise what has an error type to be filled in.
    @inlinable
    @discardableResult
    public nonisolated func spawn<R: Sendable>(
        name: String? = nil, priority: TaskPriority? = nil, file: StaticString = #fileID, line: UInt = #line,
        _ body: @escaping @Sendable (isolated EventLoop) async -> R
    ) -> Fiber<R, Never> {
        let ticket = admitFiber(name, file, line)
        let task = startTask(name, priority) { await self.runFiber(ticket, body) }
        enter(task, in: ticket.slot)
        return Fiber(loop: self, task: task)
    }

    /// The whole life of a fiber that throws nothing.
    @inlinable
    func runFiber<R: Sendable>(
        _ ticket: FiberTicket, _ body: @Sendable (isolated EventLoop) async -> R
    ) async -> Result<R, Never> {
        let slot = slot(of: ticket)
        let result = await body(self)
        leaveFiber(slot)
        return .success(result)
    }

    /// A fiber's whole life on the loop.
    @inlinable
    func runFiber<R: Sendable, E: Error>(
        _ ticket: FiberTicket, _ body: @Sendable (isolated EventLoop) async throws(E) -> R
    ) async -> Result<R, E> {
        let slot = slot(of: ticket)
        let result: Result<R, E>
        do throws(E) {
            result = .success(try await body(self))
        } catch {
            result = .failure(error)
            if !Task.isCancelled { noteFailure(error, of: slot) }
        }
        leaveFiber(slot)
        return result
    }

    /// The place of a fiber that takes its first step.
    @inlinable
    @inline(__always)
    func slot(of ticket: FiberTicket) -> FiberSlot { ticket.slot.isNone ? enterFiber(ticket) : ticket.slot }

    /// Makes a place for a fiber that is spawned now, unless it is another thread that spawns it. It is waited for from here on.
    @usableFromInline
    nonisolated func admitFiber(_ name: String?, _ file: StaticString, _ line: UInt) -> FiberTicket {
        let origin = FiberOrigin(name: name, file: file, line: line)
        guard let core = coreIfHere else {
            willSendFiber()
            return FiberTicket(sending: origin)
        }
        return FiberTicket(core.withFibers { $0.reserve(origin, now: core.present) })
    }

    /// Enters the task that was made for a place, which has not taken a step yet: this is the thread that it will run on.
    // SAFETY: a task is one pointer; the number is compared, and followed only while the task is in the table.
    @inlinable
    @inline(__always)
    nonisolated func enter<R: Sendable>(_ task: Task<R, Never>, in slot: FiberSlot) {
        if !slot.isNone { enter(unsafe unsafeBitCast(task, to: UInt.self), in: slot) }
    }

    @usableFromInline
    nonisolated func enter(_ address: UInt, in slot: FiberSlot) {
        core.withFibers { $0.enter(TaskIdentity(address: address), in: slot, .loop) }
    }

    /// A fiber is on its way to the loop, and waited for.
    nonisolated func willSendFiber() { fibers.left() }

    /// The first step of a task that another thread has made, and that nobody but the loop and its ``Fiber`` can cancel.
    @usableFromInline
    func enterFiber(_ ticket: FiberTicket) -> FiberSlot { enterCurrent(ticket.take(), .loop) }

    /// The first step of a task that is somebody else's child.
    func enterChild(_ origin: FiberOrigin) -> FiberSlot { enterCurrent(origin, .waits) }

    private func enterCurrent(_ origin: FiberOrigin, _ ears: FiberEars) -> FiberSlot {
        let core = core
        let slot = core.fibers.enterCurrent(origin, now: core.present, ears)
        fibers.arrived()
        return slot
    }

    /// On the loop's thread, so that a `run` sees it before it sleeps.
    @usableFromInline
    func leaveFiber(_ slot: FiberSlot) { core.withFibers { $0.leave(slot) } }

    /// Whether every fiber has ended, those on their way here too.
    nonisolated func isWithoutFibers(_ core: Core) -> Bool { core.fibers.count == 0 && fibers.isZero }
}
