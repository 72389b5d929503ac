internal import _Concurrency

#if !hasFeature(Embedded)
extension EventLoop {
    // SAFETY: on the loop's thread, which the caller (the turn) has checked; the executor is the loop itself.
    nonisolated func run(_ job: UnownedJob) {
        unsafe job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    }
}
#else
extension EventLoop {
    // SAFETY: as in the other build; the embedded runtime has no task executors.
    nonisolated func run(_ job: UnownedJob) { unsafe job.runSynchronously(on: asUnownedSerialExecutor()) }
}
#endif

extension EventLoop {
    /// Calls a function of the loop's own isolation, now.
    // SAFETY: an isolated parameter changes where a function may be called from and nothing of how it is called; `assumeIsolated` does
    // the same, and is missing from the embedded runtime. The thread is checked.
    @inline(__always)
    nonisolated func enter<R>(_ call: (isolated EventLoop) -> R) -> R {
        _ = core
        return withoutActuallyEscaping(call) { call in
            let plain = unsafe unsafeBitCast(call, to: ((EventLoop) -> R).self)
            return plain(self)
        }
    }
}

extension UnownedJob {
    /// The job's address: the same for a task that queues itself again.
    // SAFETY: a job is one pointer; the number is compared and never followed.
    @inline(__always)
    var identity: UInt { unsafe unsafeBitCast(self, to: UInt.self) }
}
