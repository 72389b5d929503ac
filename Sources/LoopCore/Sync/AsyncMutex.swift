internal import _Concurrency

/// A lock for tasks: held across suspensions, by one task at a time, handed over in the order in which it was asked for.
///
/// A loop's own state needs none, since one thread runs everything; this is for a sequence of waits that no other task may come into. Who
/// has to wait is suspended and blocks nobody. It is the task that holds it: only that task may unlock it, and a task that asks twice
/// traps, where it would wait for itself for ever.
public actor AsyncMutex: OnLoop {
    /// The loop it lives on.
    public nonisolated let loop: EventLoop
    private nonisolated let state = Confined(MutexState())

    /// Makes a lock that nobody holds.
    public init(on loop: EventLoop) { self.loop = loop }

    /// Takes the lock, or waits for it. A task that is cancelled already gets it in no case; one that it is handed to has it, cancelled
    /// meanwhile or not.
    public func lock(timeout: Duration? = nil) async throws(WaitError) {
        guard !TaskIdentity.isCurrentCancelled else { throw .cancelled }
        let state = state.on(loop)
        let task = TaskIdentity.current
        guard !state.take(task) else { return }
        let place = try loop.core.takePlace(in: state.waiters, timeout: timeout, for: .mutex, loop)
        try await loop.wait(at: place).get()
        state.holder = .task(task)
    }

    /// As ``lock(timeout:)``, whatever becomes of the task: for what it has to put right after it has been cancelled.
    public func lockShielded(timeout: Duration? = nil) async throws(WaitError) {
        let state = state.on(loop)
        let task = TaskIdentity.current
        guard !state.take(task) else { return }
        let place = try loop.core.takeShieldedPlace(in: state.waiters, timeout: timeout)
        try await loop.waitShielded(at: place).get()
        state.holder = .task(task)
    }

    /// Takes the lock if nobody holds it.
    public func tryLock() -> Bool { state.on(loop).take(.current) }

    /// Whether some task holds it.
    public var isLocked: Bool { state.on(loop).holder != .nobody }

    /// Hands the lock to whoever has waited longest. Only the task that holds it may; it may do so from anywhere.
    public nonisolated func unlock() {
        let task = TaskIdentity.current
        if loop.isOnLoopThread { return unlock(task) }
        loop.post { _ in self.unlock(task) }
    }

    private nonisolated func unlock(_ task: TaskIdentity?) {
        let state = state.on(loop)
        guard state.holder == .task(task) else { return refuse(state.holder) }
        state.holder = loop.core.wakeFirst(of: state.waiters) ? .whoeverWasWoken : .nobody
    }

    /// Nothing was unlocked, and the caller believes that he held it.
    private nonisolated func refuse(_ holder: MutexHolder) {
        // The loop has ended: a condition's wait could not have the lock back, and what is around it cannot know.
        if loop.core.isClosing { return }
        if holder == .nobody { trap("An AsyncMutex was unlocked that nobody had locked.") }
        trap("An AsyncMutex was unlocked by another task than the one that holds it. A Semaphore may be released by anybody.")
    }
}

/// Who holds a lock.
private enum MutexHolder: Equatable {
    case nobody
    case task(TaskIdentity?)
    /// It was handed to a waiter, whose task has not come to run since.
    case whoeverWasWoken
}

private final class MutexState {
    var holder = MutexHolder.nobody
    let waiters = WaitList()

    /// Takes the lock for a task if it is free.
    func take(_ task: TaskIdentity?) -> Bool {
        guard holder == .nobody else {
            if holder == .task(task) { trap("A task locked an AsyncMutex that it holds already: it would wait for itself for ever.") }
            return false
        }
        holder = .task(task)
        return true
    }
}
