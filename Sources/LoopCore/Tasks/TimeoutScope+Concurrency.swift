internal import Synchronization

#if !hasFeature(Embedded)
extension TimeoutScope {
    /// The innermost timeout that the current task runs in.
    @TaskLocal static var innermost: TimeoutScope?

    /// Timeouts that are open in the process, on whatever loop: where there is none, who starts a task need not look for his own.
    static let open = Atomic<Int>(0)
}

extension Core {
    /// The deadline of a wait: its own, or that of a timeout around it if it comes first, with the timeout then.
    @inline(__always)
    func earliest(_ deadline: MonotonicInstant?, _ loop: EventLoop) -> (MonotonicInstant?, TimeoutScope?) {
        guard openTimeouts > 0 else { return (deadline, nil) }
        return earliestOfTimeouts(deadline, loop)
    }

    @inline(never)
    fileprivate func earliestOfTimeouts(_ deadline: MonotonicInstant?, _ loop: EventLoop) -> (MonotonicInstant?, TimeoutScope?) {
        // The timeout of another loop goes by another clock.
        guard let scope = TimeoutScope.innermost, scope.loop === loop, let tightest = scope.tightest else { return (deadline, nil) }
        if let deadline, deadline < tightest.deadline { return (deadline, nil) }
        return (tightest.deadline, tightest)
    }
}

extension Core {
    /// As for a wait with a deadline, for one that counts from now on.
    @inline(__always)
    func earliest(_ timeoutNanoseconds: UInt64?, _ loop: EventLoop) -> (UInt64?, TimeoutScope?) {
        guard openTimeouts > 0 else { return (timeoutNanoseconds, nil) }
        let now = port.now()
        let (deadline, scope) = earliestOfTimeouts(timeoutNanoseconds.map { now.advanced(by: $0) }, loop)
        guard let scope, let deadline else { return (timeoutNanoseconds, nil) }
        return (deadline.nanoseconds(since: now), scope)
    }
}
#else
extension Core {
    /// The embedded runtime has no task-local values, and so no timeouts around waits.
    @inline(__always)
    func earliest(_ deadline: MonotonicInstant?, _ loop: EventLoop) -> (MonotonicInstant?, TimeoutScope?) { (deadline, nil) }

    @inline(__always)
    func earliest(_ timeoutNanoseconds: UInt64?, _ loop: EventLoop) -> (UInt64?, TimeoutScope?) { (timeoutNanoseconds, nil) }
}
#endif
