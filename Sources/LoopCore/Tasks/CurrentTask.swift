// The current task, without a reference to it.
//
// `Task.isCancelled` and `withUnsafeCurrentTask` retain the task for as long as they look at it. Those are two locked instructions, each of
// which waits for the stores before it: a quarter of an operation that is done inline (measured). So the runtime is asked for the task's
// address, by the function that those two ask; by a compiler that it was not tried with, as with TakeOver, it is asked through them.

#if compiler(>=6.3) && !compiler(>=6.4) && !hasFeature(Embedded)
internal import CLoopCore

private func addressOfCurrentTask() -> UInt { portloop_current_task() }
#else
internal import _Concurrency

// Made a number before it is asked whether there is one: whoever unwraps the runtime's own type retains it once more.
// SAFETY: a current task is one pointer, and null where there is none; the number is compared, and followed only while the task runs.
private func addressOfCurrentTask() -> UInt { unsafe withUnsafeCurrentTask { task in unsafe unsafeBitCast(task, to: UInt.self) } }
#endif

extension TaskIdentity {
    /// The current task's; nil where a function runs that no task called.
    @inline(__always)
    static var current: TaskIdentity? {
        let address = addressOfCurrentTask()
        return address == 0 ? nil : TaskIdentity(address: address)
    }

    /// Whether the current task has been asked to end: what `Task.isCancelled` says.
    // SAFETY: the current task is alive.
    static var isCurrentCancelled: Bool {
        @inline(__always) get {
            guard let current else { return false }
            return unsafe current.isCancelled
        }
    }
}
