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
        guard let value = try run(unless: { false }, body) else { trap("A run was ended by nobody.") }
        return value
    }

    /// As ``run(_:)``, and nil as soon as `isOver`: then fibers may be left.
    nonisolated func run<R: Sendable, E: Error>(
        unless isOver: () -> Bool, _ body: @escaping @Sendable (isolated EventLoop) async throws(E) -> R
    ) throws(E) -> R? {
        let core = core
        core.open()
        let run = Run<R, E>(core.fibers)
        core.run = run
        defer {
            core.run = nil
            core.close(mailbox)
        }
        fibers.began()
        _ = startTask(nil, nil) { loop in await loop.runBody(run, body) }
        while true {
            if fibers.isZero, let outcome = run.outcome { return try outcome.get() }
            if isOver() { return nil }
            runTurn(core, .forever) { fibers.isZero && run.outcome != nil || isOver() }
        }
    }

    private func runBody<R: Sendable, E: Error>(
        _ run: Run<R, E>, _ body: @Sendable (isolated EventLoop) async throws(E) -> R
    ) async {
        let index = core.fibers.enter("run", SourcePlace(file: #fileID, line: #line), now: core.present)
        do throws(E) { run.end(.success(try await body(self))) } catch { run.end(.failure(error)) }
        core.fibers.leave(index)
        fibers.ended()
    }
}
