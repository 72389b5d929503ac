public import _Concurrency

extension EventLoop {
    /// Runs a function that blocks on one of a few threads of the loop's own, and returns what it returns. The loop goes on meanwhile.
    ///
    /// ```swift
    /// let bytes = try await loop.offload(name: "read the settings") { try readFile(path) }
    /// ```
    ///
    /// The threads are started on demand, at most ``Limits/offloadThreadsMax``, and end with the loop. Work that finds them busy waits; at
    /// most ``Limits/offloadQueueMax`` pieces do, and then this throws ``OffloadError/queueFull(limit:)``.
    ///
    /// When the task is cancelled, or the time is up, this throws at once. A function that no thread has begun is never called then; one
    /// that runs goes on to its end, because no system can stop a thread in the middle, and what it returns is dropped. Where a result is
    /// there already it is returned all the same. A function that never returns costs its thread, for good: the metrics count it
    /// (``OffloadCounts``), and the end of the loop leaves it behind after ``Limits/offloadStopBoundNanoseconds``.
    ///
    /// The threads block every signal, so a program that the function starts inherits a mask that does.
    public func offload<R: Sendable, E: Error>(
        name: StaticString? = nil, timeout: Duration? = nil, isolation: isolated (any Actor)? = #isolation,
        _ body: @escaping @Sendable () throws(E) -> R
    ) async throws(OffloadError<E>) -> R {
        let core = core
        let work = Offloaded(name, body)
        let deadline = timeout.map { core.port.now().advanced(by: $0.wholeNanoseconds) }
        var refusal: OffloadRefusal?
        let wakeup = await park(in: work.waiters, until: deadline, for: .offload) {
            do throws(OffloadRefusal) {
                try core.offload.submit(work, core, self)
            } catch {
                refusal = error
                core.wakeFirst(of: work.waiters)
            }
        }
        if let refusal { throw OffloadError(refusal) }
        guard let result = work.result else {
            core.offload.leave(work)
            switch wakeup {
            case .signalled: trap("Offloaded work ended without a result.")
            case .timedOut: throw .timedOut
            case .cancelled: throw .cancelled
            case .closed: throw .closed
            }
        }
        core.offload.count(.taken)
        switch result {
        case .success(let value): return value
        case .failure(let error): throw .failed(error)
        }
    }
}

/// Why ``EventLoop/offload(name:timeout:isolation:_:)`` returned nothing.
public enum OffloadError<Failure: Error>: Error {
    /// The threads are busy, and as much work waits for them as may: try again later, or do less at once.
    case queueFull(limit: Int)
    /// The task was cancelled.
    case cancelled
    /// The time was up: that of the call, or that of a ``EventLoop/timeout(_:isolation:_:)`` around it.
    case timedOut
    /// The loop was shut down.
    case closed
    /// The system started no thread.
    case noThread(SystemCode)
    /// The loop's port has no threads to give.
    case notSupported
    /// The function threw.
    case failed(Failure)

    init(_ refusal: OffloadRefusal) {
        self =
            switch refusal {
            case .queueFull(let limit): .queueFull(limit: limit)
            case .noThread(let code): .noThread(code)
            case .notSupported: .notSupported
            case .closed: .closed
            }
    }
}

extension OffloadError: Equatable where Failure: Equatable {}
