public import _Concurrency

/// A task that was spawned on a loop.
///
/// It is a Swift task like any other, and always runs on its loop. What it throws ends the run it belongs to (``EventLoop/run(_:)``), so
/// that no failure goes unseen; a fiber that may fail for itself returns a `Result`.
public struct Fiber<Success: Sendable, Failure: Error>: Sendable {
    @usableFromInline let loop: EventLoop
    @usableFromInline let task: Task<Result<Success, Failure>, Never>

    @usableFromInline
    init(loop: EventLoop, task: Task<Result<Success, Failure>, Never>) {
        self.loop = loop
        self.task = task
    }

    /// What it returned. Waits for its end, also when the waiting task is cancelled.
    @inlinable public var value: Success {
        get async throws(Failure) { try await task.value.get() }
    }

    /// What it returned or threw. Waits for its end, also when the waiting task is cancelled.
    public var result: Result<Success, Failure> {
        get async { await task.value }
    }

    /// Asks it to end: its waits throw from here on. What it throws thereupon ends nothing but itself.
    public func cancel() {
        task.cancel()
        loop.postCancel(of: TaskIdentity(task))
    }

    /// Raises its priority, and so that of what it waits for.
    public func escalate(to priority: TaskPriority) { task.escalatePriority(to: priority) }

    /// Whether it has been asked to end.
    public var isCancelled: Bool { task.isCancelled }
}

extension Fiber where Failure == Never {
    /// What it returned. Waits for its end, also when the waiting task is cancelled.
    // A getter of its own: swift 6.3.1 crashes where it has to make one that throws `Never` out of the general one.
    @inlinable public var value: Success {
        get async {
            switch await task.value {
            case .success(let value): value
            }
        }
    }
}
