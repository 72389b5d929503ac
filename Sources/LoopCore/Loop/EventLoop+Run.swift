#if !hasFeature(Embedded)
extension EventLoop {
    /// Starts a fiber: a task that runs on the loop, wherever this is called from.
    @discardableResult
    public nonisolated func spawn(_ body: @escaping @Sendable (isolated EventLoop) async -> Void) -> Task<Void, Never> {
        Task(executorPreference: self) {
            await self.fiberBegan()
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
            if let result = box.result, core.fibers == 0 { return try result.get() }
            runTurn(core, .forever) { box.result != nil && core.fibers == 0 }
        }
    }

    private func fiberBegan() { core.fibers += 1 }

    private func fiberEnded() {
        core.fibers -= 1
        // The turn that ends the last fiber must not sleep: `run` looks between turns.
        if core.fibers == 0 { core.yielded.append(.call { _ in }) }
    }
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
