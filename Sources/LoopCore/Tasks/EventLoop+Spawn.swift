public import _Concurrency

extension EventLoop {
    /// Starts a fiber: a task that runs on the loop, wherever this is called from. It begins when the loop next runs its jobs.
    ///
    /// ``run(_:)`` waits for it. What it throws is reported with its name and ends the run: the other fibers are cancelled, and `run`
    /// throws the error. What a fiber throws that has been cancelled is nobody's failure.
    @discardableResult
    public nonisolated func spawn<R: Sendable, E: Error>(
        name: String? = nil, priority: TaskPriority? = nil, file: StaticString = #fileID, line: UInt = #line,
        _ body: @escaping @Sendable (isolated EventLoop) async throws(E) -> R
    ) -> Fiber<R, E> {
        fibers.began()
        let place = SourcePlace(file: file, line: line)
        return Fiber(loop: self, task: startTask(name, priority) { loop in await loop.runFiber(name, place, body) })
    }

    /// A fiber's whole life on the loop.
    private func runFiber<R: Sendable, E: Error>(
        _ name: String?, _ place: SourcePlace, _ body: @Sendable (isolated EventLoop) async throws(E) -> R
    ) async -> Result<R, E> {
        let index = core.fibers.enter(name, place, now: core.present)
        let result: Result<R, E>
        do throws(E) {
            result = .success(try await body(self))
        } catch {
            result = .failure(error)
            if !Task.isCancelled { noteFailure(error, of: name, place) }
        }
        core.fibers.leave(index)
        fibers.ended()
        return result
    }
}
