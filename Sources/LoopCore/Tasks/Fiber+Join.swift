internal import _Concurrency

extension Fiber {
    /// Waits for the fiber's end: until then, until the timeout, or until the waiting task is cancelled. The fiber goes on in any case.
    ///
    /// Returns what it returned or threw. Callable from any isolation, as often as you like, by as many as you like; a fiber that waits
    /// for itself traps.
    @discardableResult
    public func join(timeout: Duration? = nil) async throws(WaitError) -> Result<Success, Failure> {
        try await loop.waitForEnd(of: task, timeout)
        return await task.value
    }
}

extension EventLoop {
    fileprivate func waitForEnd<R: Sendable>(of task: Task<R, Never>, _ timeout: Duration?) async throws(WaitError) {
        guard !TaskIdentity.isCurrentCancelled else { throw .cancelled }
        let fiber = TaskIdentity(task)
        guard TaskIdentity.current != fiber else { trap("A fiber joined itself: it would wait for its own end for ever.") }
        let place = try core.takePlace(in: core.joiners[fiber] ?? watch(task), timeout: timeout, for: .fiber, self)
        try await wait(at: place).get()
    }

    /// A task of the loop's own waits for the fiber's end: one, however many join, so that fibers that nobody joins cost nothing. It keeps
    /// the fiber's task, whose identity therefore is no other's meanwhile.
    private func watch<R: Sendable>(_ task: Task<R, Never>) -> WaitList {
        let (fiber, list) = (TaskIdentity(task), WaitList())
        core.joiners[fiber] = list
        _ = startTask(nil, nil) {
            _ = await task.value
            await self.end(fiber)
        }
        return list
    }

    private func end(_ fiber: TaskIdentity) {
        if let list = core.joiners.removeValue(forKey: fiber) { core.wakeAll(of: list) }
    }
}
