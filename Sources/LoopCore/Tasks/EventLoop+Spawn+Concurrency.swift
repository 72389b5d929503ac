internal import Synchronization
public import _Concurrency

#if !hasFeature(Embedded)
extension EventLoop {
    /// The task prefers the loop, so that what it calls outside of any isolation stays there too. Its function is handed on as it is: each
    /// layer around it is a frame in the task's memory for as long as it lives.
    // The function is of a kind that may throw, and MUST NOT: one that may not is put into another that may, for each task (counted, 720
    // instructions of a spawn).
    @inlinable
    nonisolated func startTask<R: Sendable>(
        _ name: String?, _ priority: TaskPriority?, _ body: @escaping @concurrent @Sendable () async throws -> R
    ) -> Task<R, Never> {
        // A fiber is bound by no timeout that its spawner happens to run in.
        if isInTimeout { return outsideTimeouts { makeTask(name, priority, body) } }
        return makeTask(name, priority, body)
    }

    /// Without a preference where none is needed: the runtime keeps one for nothing, too, and looks it up.
    // SAFETY: a task is one pointer, to the same thing whether its function may throw or not; this one's does not.
    @inlinable
    nonisolated func makeTask<R: Sendable>(
        _ name: String?, _ priority: TaskPriority?, _ body: @escaping @concurrent @Sendable () async throws -> R
    ) -> Task<R, Never> {
        let task =
            if let preference {
                Task(name: name, executorPreference: preference, priority: priority, operation: body)
            } else {
                Task(name: name, priority: priority, operation: body)
            }
        return unsafe unsafeBitCast(task, to: Task<R, Never>.self)
    }

    /// What a task prefers as its executor in order to stay on the loop: nothing, where the loop is everybody's. The runtime looks a
    /// preference up at each step from actor to actor, behind a lock.
    @usableFromInline
    nonisolated var preference: EventLoop? { isDefaultExecutor.load(ordering: .relaxed) ? nil : self }

    @usableFromInline
    nonisolated var isInTimeout: Bool { TimeoutScope.open.load(ordering: .relaxed) > 0 && TimeoutScope.innermost != nil }

    @usableFromInline
    nonisolated func outsideTimeouts<R>(_ body: () -> R) -> R { TimeoutScope.$innermost.withValue(nil) { body() } }

    /// A fiber threw: it is reported, and the run that it belongs to ends with it.
    @usableFromInline
    func noteFailure(_ error: any Error, of slot: FiberSlot) {
        core.fibers.failures += 1
        let origin = core.fibers.origin(of: slot)
        let (name, place) = (origin.name ?? "without a name", origin.place)
        core.port.report("fiber \(name), spawned at \(place.file):\(place.line), failed: \(error)")
        core.run?.fiberFailed(error)
    }
}
#else
extension EventLoop {
    @inlinable
    nonisolated func startTask<R: Sendable>(
        _ name: String?, _ priority: TaskPriority?, _ body: @escaping @concurrent @Sendable () async -> R
    ) -> Task<R, Never> {
        Task(name: name, priority: priority, operation: body)
    }

    /// As in the other build, but for the error itself: an embedded image has no type that could carry any.
    @usableFromInline
    func noteFailure<E: Error>(_ error: E, of slot: FiberSlot) {
        core.fibers.failures += 1
        let origin = core.fibers.origin(of: slot)
        let (name, place) = (origin.name ?? "without a name", origin.place)
        core.port.report("fiber \(name), spawned at \(place.file):\(place.line), failed")
        core.run?.fiberFailed()
    }
}
#endif
