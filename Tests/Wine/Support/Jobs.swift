#if hasFeature(Embedded)
internal import LoopCore
internal import _Concurrency

/// Where the runtime sends a job that has no executor of its own. The runtime is single-threaded: this is the main thread's.
// SAFETY: a job is one pointer, and the runtime gives each away once.
@_cdecl("portloop_wine_enqueue") public func enqueueWithoutExecutor(_ job: UnsafeRawPointer) {
    unsafe Jobs.take(unsafeBitCast(job, to: UnownedJob.self))
}

/// Jobs without an executor, until somebody runs them.
enum Jobs {
    // SAFETY: the main thread's alone.
    fileprivate nonisolated(unsafe) static var queue: [UnownedJob] = []
    // SAFETY: as above.
    private nonisolated(unsafe) static var home: EventLoop?
    private static let executor = HostExecutor()

    // SAFETY: as above.
    fileprivate static func take(_ job: UnownedJob) {
        if let home = unsafe home { home.enqueue(ExecutorJob(job)) } else { unsafe queue.append(job) }
    }

    /// For the time of the body, jobs without an executor are the loop's: the embedded runtime can stay on an executor of ours, and cannot
    /// go to one.
    // SAFETY: as above.
    static func live<Failure: Error>(on loop: EventLoop, _ body: () throws(Failure) -> Void) throws(Failure) {
        unsafe home = loop
        defer { unsafe home = nil }
        try body()
    }

    /// Runs what is queued, and what that queues.
    static func drain() {
        while unsafe !queue.isEmpty {
            let job = unsafe queue.removeFirst()
            unsafe job.runSynchronously(on: executor.asUnownedSerialExecutor())
        }
    }
}

/// Stands for the global executor.
private final class HostExecutor: SerialExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        unsafe Jobs.queue.append(job)
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }
}
#endif
