package import LoopCore

/// Until when a call of several steps may take.
package struct Deadline: Sendable {
    private let instant: MonotonicInstant?

    package init(_ timeout: Duration?, _ operations: Operations) {
        instant = timeout.map { operations.now.advanced(by: $0) }
    }

    /// On the loop's thread.
    package init(_ timeout: Duration?, _ loop: EventLoop) {
        instant = timeout.map { loop.now.advanced(by: $0) }
    }

    /// Whether there is one at all.
    package var isSet: Bool { instant != nil }

    /// Whether there is time left.
    package func isAhead(_ now: MonotonicInstant) -> Bool { instant.map { now < $0 } ?? true }

    /// The time that is left; nil for no deadline.
    package func left(_ now: MonotonicInstant) -> Duration? {
        instant.map { .nanoseconds(now < $0 ? $0.nanoseconds(since: now) : 0) }
    }
}
