extension EventLoop {
    /// As ``run(_:)``, until one of the signals comes: then the loop is shut down, within its bounds.
    ///
    /// ```swift
    /// do {
    ///     try loop.run(cancelledBy: .interrupt, .terminate) { loop in try await serve(on: loop) }
    /// } catch .interrupted(let signal, let report) { … }
    /// ```
    ///
    /// Every fiber is cancelled and has ``Limits/cleanUpBoundNanoseconds`` for its last words; a second signal ends that time at once. Then
    /// handles and ports are let go of as ``shutdown()`` says, and this throws ``RunError/interrupted(_:_:)``, whatever the function came
    /// to. What is said there about signals and threads (``signals(_:)``) holds here too. Without a signal the loop can be run again.
    public nonisolated func run<R: Sendable, E: Error>(
        cancelledBy signals: Signal..., body: @escaping @Sendable (isolated EventLoop) async throws(E) -> R
    ) throws(RunError<E>) -> R {
        let (core, ops) = (core, operationsOnThisThread())
        let queue = SignalQueue(SignalSet(signals), interrupts: .run)
        do throws(SignalError) {
            try core.signals.listen(to: queue.signals, queue, ops)
        } catch {
            throw .signals(error)
        }
        let outcome = outcome(of: body)
        if let signal = queue.take() { throw .interrupted(signal, shutdown()) }
        core.signals.end(queue, ops)
        // The handle of the signals is given back, and the thread its mask.
        turn(.poll)
        guard let outcome else { trap("A run ended without an outcome and without a signal.") }
        do throws(E) { return try outcome.get() } catch { throw .failed(error) }
    }
}

/// Why ``EventLoop/run(cancelledBy:body:)`` returned nothing.
public enum RunError<Failure: Error>: Error {
    /// The function, or a fiber, threw.
    case failed(Failure)
    /// A signal came. The loop has been shut down, and the report says what was left.
    case interrupted(Signal, ShutdownReport)
    /// The signals could not be taken; nothing was run.
    case signals(SignalError)
}
