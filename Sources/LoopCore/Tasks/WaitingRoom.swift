public import _Concurrency

// How a task waits on the loop.
//
// Who goes to an actor whose executor does not run him is suspended: the runtime makes a job of the task's next step, and queues that with
// the executor. The waiting room is such an actor, and its executor queues nothing. It gives the job to what the task has said that it
// waits for, an operation or a place in a list. Whoever ends the wait queues the job with the loop, which runs it as one of its own, so
// that to go back to the caller's actor is no switch.
//
//    expect(…) ──► wakeup() ──► enqueue ──► Core.arrive             the record, or the place, has the task
//                                           SuspendedTask.resume    the loop's queue has it
//                  returns ◄─────────────── Core.run                with what it was woken by
//
// Nothing may come between what a task says and its step into the room. Both are in functions that are compiled into their caller.
//
// A continuation does as much with one more change of the task's status, behind a lock, and one more queue: 350 instructions (counted). The
// embedded runtime has no executors but one, so there it is a continuation.

#if !hasFeature(Embedded)
/// An actor that tasks of the loop are suspended by.
@usableFromInline actor WaitingRoom: SerialExecutor {
    // Nonisolated, as the loop's own is: only the loop's thread comes here.
    private nonisolated(unsafe) let core: Core

    // SAFETY: the loop that this is of keeps it on its thread.
    init(of core: Core) { unsafe self.core = core }

    /// Suspends the calling task, and returns what it was woken by.
    // SAFETY: it is run by the loop, as its executor's jobs are, on the loop's thread.
    @usableFromInline
    @inline(never)
    func wakeup() -> Wakeup { unsafe core.wakeup }

    // SAFETY: what holds the reference (the loop) retains the room.
    @usableFromInline nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe asUnownedSerialExecutor() }

    // SAFETY: as above.
    @usableFromInline nonisolated func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }

    /// A task has come to wait.
    // SAFETY: see `core`.
    @usableFromInline nonisolated func enqueue(_ job: consuming ExecutorJob) {
        unsafe core.arrive(SuspendedTask(nextStep: UnownedJob(job)))
    }
}

/// A task that waits: its next step, which is queued once, by whoever takes it out of its record or its place.
struct SuspendedTask {
    let nextStep: UnownedJob

    @inline(__always)
    var identity: TaskIdentity { TaskIdentity(address: nextStep.identity) }

    /// Has it go on, with what it is woken by.
    @inline(__always)
    func resume(_ wakeup: Wakeup, _ core: Core) { core.ready.append(nextStep, wakeup) }
}
#else
/// What tasks of the loop are suspended by.
@safe @usableFromInline struct WaitingRoom: Sendable {
    private nonisolated(unsafe) let core: Core

    // SAFETY: the loop that this is of keeps it on its thread.
    init(of core: Core) { unsafe self.core = core }

    /// As in the other build.
    // SAFETY: what the task waits for hands the continuation out once.
    @usableFromInline
    nonisolated(nonsending) func wakeup() async -> Wakeup {
        unsafe await withUnsafeContinuation { unsafe core.arrive(SuspendedTask(continuation: $0)) }
    }
}

/// As in the other build.
@safe struct SuspendedTask {
    private let continuation: UnsafeContinuation<Wakeup, Never>

    // SAFETY: resumed once, by whoever takes it out of its record or its place.
    init(continuation: UnsafeContinuation<Wakeup, Never>) { unsafe self.continuation = continuation }

    /// The task's address, which is that of its jobs.
    // SAFETY: a continuation is one pointer; the number is compared and never followed.
    var identity: TaskIdentity { TaskIdentity(address: unsafe unsafeBitCast(continuation, to: UInt.self)) }

    // SAFETY: as above.
    func resume(_ wakeup: Wakeup, _ core: Core) { unsafe continuation.resume(returning: wakeup) }
}
#endif
