#if !hasFeature(Embedded)
public import _Concurrency

// A child task that is a fiber: it runs on the loop, has a name in the loop's `dump`, is waited for by its run, and is cancelled with the
// loop. What it returns or throws is the group's.

extension EventLoop {
    /// As ``preference``, for a child of the current task's, which would have its parent's where it states none.
    // SAFETY: the current task is looked at while it runs.
    fileprivate nonisolated var preferenceOfChild: EventLoop? {
        preference ?? (unsafe withUnsafeCurrentTask { unsafe $0?.unownedTaskExecutor == nil } ? nil : self)
    }
}

extension TaskGroup where ChildTaskResult: Sendable {
    /// Adds a child that runs on a loop, wherever the group is. Its function is isolated to the loop.
    public mutating func addFiber(
        on loop: EventLoop, name: String? = nil, priority: TaskPriority? = nil, file: StaticString = #fileID, line: UInt = #line,
        _ body: @escaping @Sendable (isolated EventLoop) async -> ChildTaskResult
    ) {
        let origin = FiberOrigin(name: name, file: file, line: line)
        loop.willSendFiber()
        addTask(name: name, executorPreference: loop.preferenceOfChild, priority: priority) { await loop.runChild(origin, body) }
    }
}

extension ThrowingTaskGroup where ChildTaskResult: Sendable {
    /// Adds a child that runs on a loop, wherever the group is. Its function is isolated to the loop.
    public mutating func addFiber(
        on loop: EventLoop, name: String? = nil, priority: TaskPriority? = nil, file: StaticString = #fileID, line: UInt = #line,
        _ body: @escaping @Sendable (isolated EventLoop) async throws -> ChildTaskResult
    ) {
        let origin = FiberOrigin(name: name, file: file, line: line)
        loop.willSendFiber()
        addTask(name: name, executorPreference: loop.preferenceOfChild, priority: priority) { try await loop.runChild(origin, body) }
    }
}

extension DiscardingTaskGroup {
    /// Adds a child that runs on a loop, wherever the group is. Its function is isolated to the loop.
    public mutating func addFiber(
        on loop: EventLoop, name: String? = nil, priority: TaskPriority? = nil, file: StaticString = #fileID, line: UInt = #line,
        _ body: @escaping @Sendable (isolated EventLoop) async -> Void
    ) {
        let origin = FiberOrigin(name: name, file: file, line: line)
        loop.willSendFiber()
        addTask(name: name, executorPreference: loop.preferenceOfChild, priority: priority) { await loop.runChild(origin, body) }
    }
}

extension ThrowingDiscardingTaskGroup {
    /// Adds a child that runs on a loop, wherever the group is. Its function is isolated to the loop.
    public mutating func addFiber(
        on loop: EventLoop, name: String? = nil, priority: TaskPriority? = nil, file: StaticString = #fileID, line: UInt = #line,
        _ body: @escaping @Sendable (isolated EventLoop) async throws -> Void
    ) {
        let origin = FiberOrigin(name: name, file: file, line: line)
        loop.willSendFiber()
        addTask(name: name, executorPreference: loop.preferenceOfChild, priority: priority) { try await loop.runChild(origin, body) }
    }
}

extension EventLoop {
    /// A child's whole life on the loop.
    fileprivate func runChild<R: Sendable, E: Error>(
        _ origin: FiberOrigin, _ body: @Sendable (isolated EventLoop) async throws(E) -> R
    ) async throws(E) -> R {
        let slot = enterChild(origin)
        defer { leaveFiber(slot) }
        return try await body(self)
    }
}
#endif
