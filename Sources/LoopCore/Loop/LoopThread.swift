internal import Synchronization

/// Which thread a loop lives on. Asked by any thread; changed only when a loop has ended and somebody works off what came late.
final class LoopThread: Sendable {
    private let owner: Atomic<UInt>
    private let waker: any PortWaker

    /// The loop lives on the thread that makes it.
    init(waker: any PortWaker) {
        self.waker = waker
        owner = Atomic(waker.currentThread())
    }

    var isCurrent: Bool { owner.load(ordering: .relaxed) == waker.currentThread() }

    /// Leaves the loop without a thread. Only its own thread may. Sequentially consistent: who leaves looks into the mailbox afterwards,
    /// who sends looks here afterwards, and one of the two must see the other.
    func leave() { owner.store(0, ordering: .sequentiallyConsistent) }

    /// Makes the present thread the loop's, if no other is.
    func enter() -> Bool {
        owner.compareExchange(expected: 0, desired: waker.currentThread(), ordering: .sequentiallyConsistent).exchanged
    }
}
