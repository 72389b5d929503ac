package import LoopCore
private import _Concurrency

/// Who may go on, one at a time, in the order in which they asked. It belongs to the loop's thread.
///
/// After ``takeIfFree()`` has said yes, or ``wait(_:)`` has returned, the turn MUST be given on, whatever became of what it was taken for.
/// Those who wait when a stream is closed get it one after the other, see that, and give it on.
package final class Turn {
    private let operations: Operations
    /// Those who wait for it: nil until somebody has to, which of most streams nobody ever does.
    private var waiters: WaitQueue?
    private var isTaken = false
    /// Whether there is a queue. By itself: the runtime watches over each look at the other, 60 instructions of every read (counted).
    private var hasWaiters = false

    package init(_ operations: Operations) { self.operations = operations }

    /// Whether nobody has it: then nobody waits for it either.
    package var isFree: Bool { !isTaken }

    package func takeIfFree() -> Bool {
        defer { isTaken = true }
        return !isTaken
    }

    /// Waits for it where somebody else has it.
    package nonisolated(nonsending) func wait(_ deadline: Deadline) async throws(WaitError) {
        hasWaiters = true
        try await waiters.made(by: operations).wait(timeout: deadline.left(operations.now))
    }

    package func give() {
        if hasWaiters, let waiters, waiters.wakeFirst() { return }
        isTaken = false
    }
}
