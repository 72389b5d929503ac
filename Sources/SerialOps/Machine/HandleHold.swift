internal import Synchronization

/// Who uses a handle, from any thread: it is closed when it is to be and nobody is inside a call with it any more. So a number that the
/// system has given to somebody else is never called with.
package final class HandleHold: Sendable {
    /// The calls under way, doubled, and one for a handle that is to be closed.
    private let state = Atomic<Int>(0)
    private let close: @Sendable () -> Void

    /// Keeps the function that closes the handle.
    package init(_ close: @escaping @Sendable () -> Void) { self.close = close }

    deinit { end() }

    /// Calls a function that uses the handle; nil if it is to be closed.
    package func use<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R? {
        guard enter() else { return nil }
        defer { leave() }
        return try body()
    }

    /// Closes the handle, now or when the last call is out. Once; the next has no effect.
    package func end() {
        let old = state.bitwiseOr(1, ordering: .acquiringAndReleasing).oldValue
        if old == 0 { close() }
    }

    private func enter() -> Bool {
        var seen = state.load(ordering: .relaxed)
        while seen & 1 == 0 {
            let (isIn, found) = state.weakCompareExchange(expected: seen, desired: seen + 2, ordering: .acquiringAndReleasing)
            if isIn { return true }
            seen = found
        }
        return false
    }

    private func leave() {
        let left = state.subtract(2, ordering: .acquiringAndReleasing).newValue
        if left == 1 { close() }
    }
}
