internal import _Concurrency

/// Where the runtime sends a job that has no executor of its own. The runtime is single-threaded: this is the main thread's.
@_cdecl("portloop_wine_enqueue") public func enqueueWithoutExecutor(_ job: UnsafeRawPointer) {
    unsafe Jobs.queue.append(unsafeBitCast(job, to: UnownedJob.self))
}

/// Jobs without an executor, until somebody runs them.
enum Jobs {
    // SAFETY: the main thread's alone.
    fileprivate nonisolated(unsafe) static var queue: [UnownedJob] = []
    private static let executor = HostExecutor()

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
