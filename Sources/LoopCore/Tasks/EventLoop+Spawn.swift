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
        let origin = FiberOrigin(name: name, file: file, line: line)
        willStartFiber()
        return Fiber(loop: self, task: startTask(name, priority) { await self.runFiber(origin, body) })
    }

    /// Starts a fiber that throws nothing: as the general form.
    // A form of its own, because the compiler does not specialise what has an error type to be filled in.
    @inlinable
    @discardableResult
    public nonisolated func spawn<R: Sendable>(
        name: String? = nil, priority: TaskPriority? = nil, file: StaticString = #fileID, line: UInt = #line,
        _ body: @escaping @Sendable (isolated EventLoop) async -> R
    ) -> Fiber<R, Never> {
        let origin = FiberOrigin(name: name, file: file, line: line)
        willStartFiber()
        return Fiber(loop: self, task: startTask(name, priority) { await self.runFiber(origin, body) })
    }

    /// The whole life of a fiber that throws nothing.
    @inlinable
    func runFiber<R: Sendable>(_ origin: FiberOrigin, _ body: @Sendable (isolated EventLoop) async -> R) async -> Result<R, Never> {
        let slot = enterFiber(origin)
        let result = await body(self)
        leaveFiber(slot)
        return .success(result)
    }

    /// A fiber's whole life on the loop.
    @inlinable
    func runFiber<R: Sendable, E: Error>(
        _ origin: FiberOrigin, _ body: @Sendable (isolated EventLoop) async throws(E) -> R
    ) async -> Result<R, E> {
        let slot = enterFiber(origin)
        let result: Result<R, E>
        do throws(E) {
            result = .success(try await body(self))
        } catch {
            result = .failure(error)
            if !Task.isCancelled { noteFailure(error, of: origin) }
        }
        leaveFiber(slot)
        return result
    }

    /// Counted from here on, on any thread, so that a run waits for it.
    @usableFromInline
    nonisolated func willStartFiber() { fibers.began() }

    /// For a task that nobody but the loop and its ``Fiber`` can cancel.
    @usableFromInline
    func enterFiber(_ origin: FiberOrigin) -> FiberSlot {
        let core = core
        return core.fibers.enter(origin, now: core.present, .loop)
    }

    /// For a task that is somebody else's child.
    func enterChild(_ origin: FiberOrigin) -> FiberSlot {
        let core = core
        return core.fibers.enter(origin, now: core.present, .waits)
    }

    /// On the loop's thread, so that a `run` sees it before it sleeps.
    @usableFromInline
    func leaveFiber(_ slot: FiberSlot) {
        core.fibers.leave(slot)
        fibers.ended()
    }
}
