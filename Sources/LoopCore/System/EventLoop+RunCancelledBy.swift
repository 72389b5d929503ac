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
    /// handles and ports are let go of as ``shutdown()`` says, and this throws ``RunError/interrupted(_:_:)``, whatever the function came to.
    /// What is said there about signals and threads (``signals(_:)``) holds here too. Without a signal the loop can be run again.
    public nonisolated func run<R: Sendable, E: Error>(
        cancelledBy signals: Signal..., body: @escaping @Sendable (isolated EventLoop) async throws(E) -> R
    ) throws(RunError<E>) -> R {
        let interruption = Interruption()
        let queue = SignalQueue(SignalSet(signals)) { signal in interruption.note(signal) }
        let ops = operationsOnThisThread()
        do throws(SignalError) {
            try core.signals.listen(to: queue.signals, queue, ops)
        } catch {
            throw .signals(error)
        }
        let result: Result<R, E>?
        do throws(E) {
            result = try run(unless: { interruption.first != nil }, body).map { .success($0) }
        } catch {
            result = .failure(error)
        }
        guard let signal = interruption.first else {
            core.signals.end(queue, ops)
            turn(.poll)
            switch result {
            case .success(let value): return value
            case .failure(let error): throw .failed(error)
            case nil: trap("A run ended without a result and without a signal.")
            }
        }
        throw .interrupted(signal, shutdown(hurriedBy: { interruption.count > 1 }))
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

/// The signals that came during a run. On the loop's thread.
private final class Interruption {
    private(set) var first: Signal?
    private(set) var count = 0

    func note(_ signal: Signal) {
        if first == nil { first = signal }
        count += 1
    }
}
