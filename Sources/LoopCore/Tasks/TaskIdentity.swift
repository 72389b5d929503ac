internal import _Concurrency

/// Tells one task from another while both live: a number, and nothing that keeps the task alive.
struct TaskIdentity: Hashable, Sendable {
    let address: UInt

    // SAFETY: a task is the same pointer.
    init<Success: Sendable, Failure: Error>(_ task: Task<Success, Failure>) { address = unsafe unsafeBitCast(task, to: UInt.self) }

    /// Whether the task has been asked to end. It MUST be alive. Of whatever it returns: the answer is where it is for all.
    // SAFETY: a task is one pointer; the caller knows that it is alive.
    @unsafe var isCancelled: Bool {
        @inline(__always) get {
            unsafe withUnsafePointer(to: address) { place in
                unsafe UnsafeRawPointer(place).assumingMemoryBound(to: LentTask.self).pointee.isCancelled
            }
        }
    }

    /// A task that is looked at where it stands: as it is copied nowhere, nothing retains it meanwhile.
    private struct LentTask: ~Copyable {
        private let task: Task<Void, Never>

        @inline(__always)
        var isCancelled: Bool { task.isCancelled }
    }

    /// How urgent the task is now. It MUST be alive.
    // SAFETY: as above.
    @unsafe var priority: TaskPriority { unsafe unsafeBitCast(address, to: UnsafeCurrentTask.self).priority }

    /// Asks the task to end. It MUST be alive.
    // SAFETY: as above.
    @unsafe func cancel() { unsafe unsafeBitCast(address, to: Task<Void, Never>.self).cancel() }

    init(address: UInt) { self.address = address }
}
