import LoopCore
import _Concurrency

/// Who may go on, one at a time, in the order in which they asked. It belongs to the loop's thread.
///
/// After ``takeIfFree()`` has said yes, or ``wait(_:)`` has returned, the turn MUST be given on, whatever became of what it was taken for.
/// Those who wait when a port is closed get it one after the other, see that, and give it on.
final class Turn {
    private let operations: Operations
    private let waiters: WaitQueue
    private var isTaken = false

    init(_ operations: Operations) {
        self.operations = operations
        waiters = operations.makeWaitQueue()
    }

    /// Whether nobody has it: then nobody waits for it either.
    var isFree: Bool { !isTaken }

    func takeIfFree() -> Bool {
        defer { isTaken = true }
        return !isTaken
    }

    /// Waits for it where somebody else has it.
    func wait(_ deadline: Deadline) async throws(WaitError) {
        try await waiters.wait(timeout: deadline.left(operations.now))
    }

    func give() {
        if !waiters.wakeFirst() { isTaken = false }
    }
}

/// Until when a call of several steps may take.
struct Deadline {
    private let instant: MonotonicInstant?

    init(_ timeout: Duration?, _ operations: Operations) {
        instant = timeout.map { operations.now.advanced(by: $0) }
    }

    /// Whether there is one at all.
    var isSet: Bool { instant != nil }

    /// Whether there is time left.
    func isAhead(_ now: MonotonicInstant) -> Bool { instant.map { now < $0 } ?? true }

    /// The time that is left; nil for no deadline.
    func left(_ now: MonotonicInstant) -> Duration? {
        instant.map { .nanoseconds(now < $0 ? $0.nanoseconds(since: now) : 0) }
    }
}
