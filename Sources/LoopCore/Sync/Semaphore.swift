internal import _Concurrency

/// A number of permits. Who takes one when none is left waits, first come, first served.
///
/// A permit belongs to nobody: one task may take it and another, or a thread without tasks, give it back.
public actor Semaphore: OnLoop {
    /// The loop it lives on.
    public nonisolated let loop: EventLoop
    private nonisolated let state: Confined<SemaphoreState>

    /// Makes a semaphore with so many permits to begin with.
    public init(on loop: EventLoop, permits: Int) {
        guard permits >= 0 else { trap("A Semaphore begins with no permits at least, not with \(permits).") }
        self.loop = loop
        state = Confined(SemaphoreState(permits: permits))
    }

    /// Takes a permit, or waits for one. A task that is cancelled already gets none; one that it was handed to has it, cancelled meanwhile
    /// or not.
    public func acquire(timeout: Duration? = nil) async throws(WaitError) {
        guard !TaskIdentity.isCurrentCancelled else { throw .cancelled }
        let state = state.on(loop)
        guard !state.take() else { return }
        let place = try loop.core.takePlace(in: state.waiters, timeout: timeout, for: .semaphore, loop)
        try await loop.wait(at: place).get()
    }

    /// Takes a permit if one is left.
    public func tryAcquire() -> Bool { state.on(loop).take() }

    /// The permits that are left.
    public var permits: Int { state.on(loop).permits }

    /// Gives a permit: to whoever has waited longest, if anybody waits. Callable from any thread.
    public nonisolated func release() {
        guard loop.isOnLoopThread else { return loop.post { _ in self.release() } }
        let state = state.on(loop)
        if !loop.core.wakeFirst(of: state.waiters) { state.permits += 1 }
    }
}

private final class SemaphoreState {
    var permits: Int
    let waiters = WaitList()

    init(permits: Int) { self.permits = permits }

    func take() -> Bool {
        guard permits > 0 else { return false }
        permits -= 1
        return true
    }
}
