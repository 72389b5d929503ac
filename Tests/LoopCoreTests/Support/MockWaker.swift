import Dispatch
import LoopCore
import Synchronization

/// What other threads touch of a ``MockPort``: a bell, and a count of how often it was rung.
final class MockWaker: PortWaker {
    private let bell = DispatchSemaphore(value: 0)
    private let calls = Atomic<Int>(0)
    private let refusals = Atomic<Int>(0)

    func wake() -> Bool {
        calls.add(1, ordering: .relaxed)
        guard refusals.subtract(1, ordering: .relaxed).oldValue <= 0 else { return false }
        bell.signal()
        return true
    }

    func currentThread() -> UInt { RealThread.current }

    /// Calls of ``wake()`` so far, the refused ones included.
    var wakes: Int { calls.load(ordering: .relaxed) }

    /// The system refuses the next `count` wakes.
    func refuseNext(_ count: Int) { refusals.store(count, ordering: .relaxed) }

    func takeWake() -> Bool { bell.wait(timeout: .now()) == .success }

    /// Sleeps until somebody wakes the port. Ten minutes are for ever here: a test that gets there has lost a wake. A minute is not: who is
    /// to wake it may be a task of the pool, behind every other test, on a machine that is busy with something else.
    func waitForWake() {
        guard bell.wait(timeout: .now() + 600) == .success else { trap("The loop sleeps, and nobody is left to wake it.") }
    }
}
