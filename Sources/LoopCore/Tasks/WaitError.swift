/// Why a wait on the loop ended without what it was for.
public enum WaitError: Error, Hashable, Sendable {
    /// The task was cancelled.
    case cancelled
    /// The wait's own timeout passed, or that of a ``EventLoop/timeout(_:isolation:_:)`` around it.
    case timedOut
    /// The loop was shut down, or what was waited on was closed.
    case closed
}

/// What a task was waiting for when its time was up.
public enum WaitedFor: Hashable, Sendable {
    /// Nothing of the loop's: the time was up before the next wait began.
    case nothing
    /// An operation, by its handle and its tag.
    case operation(handle: NativeHandle, tag: UInt64)
    /// A sleep.
    case sleep
    /// An element of a channel, or room for one.
    case channel
    /// A lock.
    case mutex
    /// A signal of a condition.
    case condition
    /// A permit of a semaphore.
    case semaphore
    /// The opening of a gate.
    case gate
    /// The end of a fiber.
    case fiber
    /// Work that was handed to another thread.
    case offload
    /// The addresses of a name.
    case name
    /// The end of a process.
    case process
    /// A signal.
    case signal
    /// Something of an adapter's own (``WaitQueue``).
    case adapter
}
