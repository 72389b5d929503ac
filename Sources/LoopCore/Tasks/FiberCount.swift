internal import Synchronization

/// Fibers on their way to the loop, spawned by other threads or as children of groups, that have not begun: they are waited for too, and
/// the loop's table does not know of them.
final class FiberCount: Sendable {
    private let count = Atomic<Int>(0)

    var isZero: Bool { count.load(ordering: .sequentiallyConsistent) == 0 }

    func left() { count.add(1, ordering: .sequentiallyConsistent) }

    func arrived() { count.subtract(1, ordering: .sequentiallyConsistent) }
}
