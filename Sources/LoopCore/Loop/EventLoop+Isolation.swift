internal import _Concurrency

#if !hasFeature(Embedded)
extension EventLoop {
    // SAFETY: on the loop's thread, which the caller (the turn) has checked; the executor is the loop itself.
    nonisolated func runJob(_ job: UnownedJob) {
        let executor = unsafe asUnownedSerialExecutor()
        guard preference != nil else { return unsafe job.runSynchronously(on: executor) }
        unsafe job.runSynchronously(isolatedTo: executor, taskExecutor: asUnownedTaskExecutor())
    }
}
#else
extension EventLoop {
    // SAFETY: as in the other build; the embedded runtime has no task executors.
    nonisolated func runJob(_ job: UnownedJob) { unsafe job.runSynchronously(on: asUnownedSerialExecutor()) }
}
#endif

extension EventLoop {
    /// Calls a function of the loop's own isolation, now.
    // SAFETY: an isolated parameter changes where a function may be called from and nothing of how it is called; `assumeIsolated` does
    // the same, and is missing from the embedded runtime. The caller is the turn, which has checked the thread.
    @inline(__always)
    nonisolated func callNow(_ call: consuming @escaping @Sendable (isolated EventLoop) -> Void) {
        unsafe withUnsafePointer(to: IsolatedCall(body: call)) { place in
            unsafe UnsafeRawPointer(place).assumingMemoryBound(to: PlainCall.self).pointee.call(self)
        }
    }
}

// In a struct: a function that is cast by itself is wrapped in another, which is allocated for each call (seen). Called where it stands, so
// that nobody retains it meanwhile.
private struct IsolatedCall { let body: @Sendable (isolated EventLoop) -> Void }
private struct PlainCall: ~Copyable {
    private let body: @Sendable (EventLoop) -> Void

    @inline(__always)
    func call(_ loop: EventLoop) { body(loop) }
}

extension UnownedJob {
    /// The job's address: the same for a task that queues itself again.
    // SAFETY: a job is one pointer; the number is compared and never followed.
    @inline(__always)
    var identity: UInt { unsafe unsafeBitCast(self, to: UInt.self) }
}
