internal import _Concurrency

/// Tells one task from another while both live: a number, and nothing that keeps the task alive.
struct TaskIdentity: Hashable, Sendable {
    let address: UInt

    /// The current task's; nil where a function runs that no task called.
    // SAFETY: a current task is one pointer; the number is compared and never followed.
    static var current: TaskIdentity? {
        unsafe withUnsafeCurrentTask { task in
            guard let task = unsafe task else { return nil }
            return TaskIdentity(address: unsafe unsafeBitCast(task, to: UInt.self))
        }
    }

    // SAFETY: a task is the same pointer.
    init<Success: Sendable, Failure: Error>(_ task: Task<Success, Failure>) { address = unsafe unsafeBitCast(task, to: UInt.self) }

    /// The task, which MUST be alive. Of whatever it returns: what is asked of it is the same for all.
    // SAFETY: a task is one pointer; the caller knows that it is alive.
    @unsafe var living: Task<Void, Never> {
        @inline(__always) get { unsafe unsafeBitCast(address, to: Task<Void, Never>.self) }
    }

    private init(address: UInt) { self.address = address }
}
