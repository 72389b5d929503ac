#if !hasFeature(Embedded)
extension EventLoop {
    /// Starts a fiber: a task that runs on the loop, wherever this is called from.
    @discardableResult
    public nonisolated func spawn(_ body: @escaping @Sendable (isolated EventLoop) async -> Void) -> Task<Void, Never> {
        fibers.began()
        return Task(executorPreference: self) {
            await body(self)
            await self.fiberEnded()
        }
    }

    /// Runs a function as a fiber and drives the loop until it and every fiber it spawned have ended. Returns what it returned, throws
    /// what it threw. The loop can be run again; ``shutdown()`` ends it.
    public nonisolated func run<R: Sendable, E: Error>(
        _ body: @escaping @Sendable (isolated EventLoop) async throws(E) -> R
    ) throws(E) -> R {
        let box = RunResult<R, E>()
        spawn { loop in
            do throws(E) { box.set(.success(try await body(loop))) } catch { box.set(.failure(error)) }
        }
        let core = core
        core.open()
        defer { core.close(mailbox) }
        while true {
            if let result = box.result, fibers.isZero { return try result.get() }
            runTurn(core, .forever) { box.result != nil && fibers.isZero }
        }
    }

    /// On the loop's thread, so that a `run` sees it before it sleeps.
    private func fiberEnded() { fibers.ended() }
}

/// Where a run's result waits for the turn that notices it. Written and read on the loop's thread alone.
private final class RunResult<R: Sendable, E: Error>: Sendable {
    private nonisolated(unsafe) var stored: Result<R, E>?

    // SAFETY: `run` and its fiber are on the loop's thread.
    var result: Result<R, E>? { unsafe stored }

    // SAFETY: as above.
    func set(_ result: Result<R, E>) { unsafe stored = result }
}
#endif
