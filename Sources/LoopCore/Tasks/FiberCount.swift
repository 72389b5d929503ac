internal import Synchronization

/// Fibers that were spawned and have not ended. Counted where they are spawned, on any thread: one that has not begun is waited for too.
final class FiberCount: Sendable {
    private let count = Atomic<Int>(0)

    var isZero: Bool { count.load(ordering: .sequentiallyConsistent) == 0 }

    func began() { count.add(1, ordering: .sequentiallyConsistent) }

    func ended() { count.subtract(1, ordering: .sequentiallyConsistent) }
}
