internal import _Concurrency

/// Something that tasks wait for while they give back a lock, and are told of one by one or all at once.
///
/// As with every condition variable, look again behind the wait: another task may have come first.
public actor Condition: OnLoop {
    /// The loop it lives on.
    public nonisolated let loop: EventLoop
    private nonisolated let waiters = Confined(WaitList())

    /// Makes a condition that nobody waits for.
    public init(on loop: EventLoop) { self.loop = loop }

    /// Gives the lock back, waits to be told, and takes the lock again before it returns or throws. A signal from here on is not missed.
    ///
    /// The timeout and the task's cancellation end the wait for the signal. They do not bound the way back to the lock, which the caller
    /// has again in every case but ``WaitError/closed``: then the loop has ended, and nobody hands over anything.
    public func wait(for mutex: AsyncMutex, timeout: Duration? = nil) async throws(WaitError) {
        guard mutex.loop === loop else { trap("A Condition was waited for with the AsyncMutex of another loop.") }
        let place = try loop.core.takePlace(in: waiters.on(loop), timeout: timeout, for: .condition, loop)
        mutex.unlock()
        let wakeup = await loop.wait(at: place)
        try await mutex.lockShielded()
        try wakeup.get()
    }

    /// Tells whoever has waited longest, if anybody waits. Callable from any thread, with or without the lock.
    public nonisolated func signal() {
        if loop.isOnLoopThread {
            loop.core.wakeFirst(of: waiters.on(loop))
        } else {
            loop.post { _ in self.signal() }
        }
    }

    /// Tells everybody who waits. Callable from any thread, with or without the lock.
    public nonisolated func broadcast() {
        if loop.isOnLoopThread {
            loop.core.wakeAll(of: waiters.on(loop))
        } else {
            loop.post { _ in self.broadcast() }
        }
    }
}
