internal import Synchronization

/// Fibers that other threads have spawned and that have not begun: they are waited for too, and their loop's table cannot know of them.
final class FiberCount: Sendable {
    private let count = Atomic<Int>(0)

    var isZero: Bool { count.load(ordering: .sequentiallyConsistent) == 0 }

    func left() { count.add(1, ordering: .sequentiallyConsistent) }

    func arrived() { count.subtract(1, ordering: .sequentiallyConsistent) }
}
