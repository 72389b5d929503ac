package import LoopCore

/// Until when a call of several steps may take.
package struct Deadline: Sendable {
    private let instant: MonotonicInstant?

    private init(_ instant: MonotonicInstant?) { self.instant = instant }

    // Functions and no initializers: those own what they are passed, so each call would retain a loop and release it (counted).

    /// So long from now on; for ever without a timeout.
    package static func after(_ timeout: Duration?, _ operations: Operations) -> Deadline {
        guard let timeout else { return Deadline(nil) }
        return Deadline(operations.now.advanced(by: timeout))
    }

    /// As above, on the loop's thread.
    package static func after(_ timeout: Duration?, _ loop: EventLoop) -> Deadline {
        guard let timeout else { return Deadline(nil) }
        return Deadline(loop.now.advanced(by: timeout))
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
