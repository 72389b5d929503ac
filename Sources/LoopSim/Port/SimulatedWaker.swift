public import LoopCore
internal import Synchronization

/// What wakes a simulated port, and who the present thread is said to be. The one part of the port that other threads may touch.
///
/// A simulation has one thread, and the others are numbers: ``asThread(_:_:)`` runs a function as if another thread had called it, which
/// takes a post through the mailbox and the wake as it would from outside, at an instant of the test's choosing. A test with real threads
/// gives the waker a function that tells them apart.
public final class SimulatedWaker: PortWaker {
    private let pending = Atomic<Bool>(false)
    private let failuresLeft = Atomic<Int>(0)
    private let pretended = Atomic<UInt>(1)
    private let realThread: (@Sendable () -> UInt)?

    /// Without a function the simulation has one thread, and a call from another cannot be told from its own.
    public init(realThread: (@Sendable () -> UInt)? = nil) { self.realThread = realThread }

    public func wake() -> Bool {
        if failuresLeft.load(ordering: .relaxed) > 0 {
            failuresLeft.subtract(1, ordering: .relaxed)
            return false
        }
        pending.store(true, ordering: .sequentiallyConsistent)
        return true
    }

    public func currentThread() -> UInt { realThread?() ?? pretended.load(ordering: .relaxed) }

    /// The next `count` wakes are refused by the system.
    public func failNext(_ count: Int) { failuresLeft.store(count, ordering: .relaxed) }

    /// Runs a function as another thread. Simulated threads only; it MUST call nothing that belongs to the loop's own.
    public func asThread(_ number: UInt, _ body: () -> Void) {
        guard realThread == nil else { trap("asThread is for simulated threads, and this waker was given real ones.") }
        let own = pretended.exchange(number, ordering: .relaxed)
        body()
        pretended.store(own, ordering: .relaxed)
    }

    /// Whether threads are numbers.
    var isSimulated: Bool { realThread == nil }

    var isPending: Bool { pending.load(ordering: .sequentiallyConsistent) }

    /// Takes the pending wake, if there is one. Wakes merge.
    func take() -> Bool { pending.exchange(false, ordering: .sequentiallyConsistent) }
}
