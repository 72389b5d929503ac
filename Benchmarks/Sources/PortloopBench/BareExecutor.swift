/// The least that runs tasks: a queue of jobs, with no clock, no kernel, no other thread, no names and no cancellation. What a step costs
/// here is the Swift runtime's alone: the floor of what it may cost on the loop.
@safe actor BareExecutor: SerialExecutor, TaskExecutor {
    // By address, because a class's property is checked for overlapping access each time it is touched.
    // SAFETY: touched on the thread that is in `run`, and there is no other.
    private nonisolated(unsafe) let queue: UnsafeMutablePointer<Queue>

    @safe private struct Queue {
        var jobs: [UnownedJob] = []
        var suspended: UnsafeContinuation<Void, Never>?
    }

    // SAFETY: freed when nobody can queue any more.
    init() {
        unsafe queue = .allocate(capacity: 1)
        unsafe queue.initialize(to: Queue())
    }

    // SAFETY: as above.
    deinit {
        unsafe queue.deinitialize(count: 1)
        unsafe queue.deallocate()
    }

    // SAFETY: whoever holds it retains this executor.
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe asUnownedSerialExecutor() }

    // SAFETY: as above.
    nonisolated func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }

    // SAFETY: as above.
    nonisolated func asUnownedTaskExecutor() -> UnownedTaskExecutor { unsafe UnownedTaskExecutor(ordinary: self) }

    nonisolated func checkIsolated() {}

    nonisolated func enqueue(_ job: consuming ExecutorJob) { unsafe queue.pointee.jobs.append(UnownedJob(job)) }

    /// Runs a function as a task, and what it starts, until nothing is left.
    nonisolated func run(_ body: @escaping @Sendable (isolated BareExecutor) async -> Void) {
        let task = Task(executorPreference: self) { await body(self) }
        repeat { runJobs() } while unsafe !queue.pointee.jobs.isEmpty
        withExtendedLifetime(task) {}
    }

    // SAFETY: each job is run once, by the executor that it was queued on.
    private nonisolated func runJobs() {
        var next = 0
        while unsafe next < queue.pointee.jobs.count {
            let job = unsafe queue.pointee.jobs[next]
            next += 1
            unsafe job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
        }
        unsafe queue.pointee.jobs.removeAll(keepingCapacity: true)
        guard let continuation = unsafe queue.pointee.suspended.take() else { return }
        unsafe continuation.resume()
    }

    /// Leaves a continuation that is resumed when every job has had its turn.
    // SAFETY: there is one such task at a time, and it is resumed once.
    nonisolated func resumeLater(_ continuation: UnsafeContinuation<Void, Never>) { unsafe queue.pointee.suspended = continuation }
}

/// Lives on a bare executor, as a handle lives on a loop.
protocol OnBareExecutor: Actor {
    nonisolated var executor: BareExecutor { get }
}

extension OnBareExecutor {
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }
}
