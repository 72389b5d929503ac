extension EventLoop {
    /// Runs a function as a fiber and drives the loop until it and every fiber it spawned have ended. Returns what it returned, throws
    /// what it threw. The loop can be run again; ``shutdown()`` ends it.
    ///
    /// The first error ends the run: the fibers that are left are cancelled, and it is thrown when they have ended. It is that of the
    /// function, or of a fiber if the function may throw errors of that type, as a function without typed throws may; one that it may not
    /// throw is reported all the same.
    public nonisolated func run<R: Sendable, E: Error>(
        _ body: @escaping @Sendable (isolated EventLoop) async throws(E) -> R
    ) throws(E) -> R {
        guard let outcome = outcome(of: body) else { trap("A run is over without an outcome.") }
        return try outcome.get()
    }

    /// What a run comes to; nil where somebody interrupts it (``run(cancelledBy:body:)``): then fibers may be left.
    nonisolated func outcome<R: Sendable, E: Error>(
        of body: @escaping @Sendable (isolated EventLoop) async throws(E) -> R
    ) -> Result<R, E>? {
        let core = core
        core.open()
        let run = Run<R, E>(core.fibers)
        core.run = run
        core.isRunOver = false
        core.interruptions = 0
        defer {
            core.run = nil
            core.close(mailbox)
        }
        let slot = admitFiber("run", #fileID, #line).slot
        // Of no particular priority: a task made outside of any has that of its thread, which for a main thread is high.
        enter(startTask(nil, .medium) { await self.runBody(run, slot, body) }, in: slot)
        drive(core)
        return core.interruptions == 0 ? run.outcome : nil
    }

    /// Turns until the run is over. Not generic, so that a turn costs the same whatever the run returns.
    private nonisolated func drive(_ core: Core) {
        while !has(core, reached: .endOfRun) { runTurn(core, .forever, .endOfRun) }
    }

    private func runBody<R: Sendable, E: Error>(
        _ run: Run<R, E>, _ slot: FiberSlot, _ body: @Sendable (isolated EventLoop) async throws(E) -> R
    ) async {
        do throws(E) { run.end(.success(try await body(self))) } catch { run.end(.failure(error)) }
        core.isRunOver = true
        leaveFiber(slot)
    }
}
