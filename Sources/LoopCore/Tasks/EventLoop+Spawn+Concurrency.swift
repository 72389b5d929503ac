internal import _Concurrency

#if !hasFeature(Embedded)
extension EventLoop {
    /// The task prefers the loop, so that what it calls outside of any isolation stays there too.
    nonisolated func startTask<R: Sendable>(
        _ name: String?, _ priority: TaskPriority?, _ body: @escaping @Sendable (EventLoop) async -> R
    ) -> Task<R, Never> {
        // A fiber is bound by no timeout that its spawner happens to run in.
        if TimeoutScope.innermost != nil {
            return TimeoutScope.$innermost.withValue(nil) {
                Task(name: name, executorPreference: self, priority: priority) { await body(self) }
            }
        }
        return Task(name: name, executorPreference: self, priority: priority) { await body(self) }
    }

    /// A fiber threw: it is reported, and the run that it belongs to ends with it.
    func noteFailure(_ error: any Error, of name: String?, _ place: SourcePlace) {
        core.fibers.failures += 1
        core.port.report("fiber \(name ?? "without a name"), spawned at \(place.file):\(place.line), failed: \(error)")
        core.run?.fiberFailed(error)
    }
}
#else
extension EventLoop {
    nonisolated func startTask<R: Sendable>(
        _ name: String?, _ priority: TaskPriority?, _ body: @escaping @Sendable (EventLoop) async -> R
    ) -> Task<R, Never> {
        Task(name: name, priority: priority) { await body(self) }
    }

    /// As in the other build, but for the error itself: an embedded image has no type that could carry any.
    func noteFailure<E: Error>(_ error: E, of name: String?, _ place: SourcePlace) {
        core.fibers.failures += 1
        core.port.report("fiber \(name ?? "without a name"), spawned at \(place.file):\(place.line), failed")
        core.run?.fiberFailed()
    }
}
#endif
