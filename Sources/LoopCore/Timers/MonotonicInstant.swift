/// Marks a point on the monotonic clock, counted in nanoseconds from an origin that only the clock knows.
///
/// Two instants of one clock can be compared and subtracted; the number itself means nothing to another process.
/// Arithmetic saturates at both ends, so a timeout of centuries is a wait without end and never a deadline in the past.
///
/// ```swift
/// let start = MonotonicInstant(nanoseconds: 5_000)
/// let deadline = start.advanced(by: 250)
/// assert(deadline > start)
/// assert(deadline.nanoseconds(since: start) == 250)
/// ```
public struct MonotonicInstant: Comparable, Hashable, Sendable {
    /// The distance from the clock's origin.
    public var nanoseconds: UInt64

    /// Wraps a reading of the clock.
    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// Comes after every other instant. A deadline here is one that never arrives.
    public static let distantFuture = MonotonicInstant(nanoseconds: .max)

    /// The instant that many nanoseconds later, or `distantFuture` when the sum does not fit.
    public func advanced(by nanoseconds: UInt64) -> MonotonicInstant {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return overflow ? .distantFuture : MonotonicInstant(nanoseconds: sum)
    }

    /// The time that has passed since `earlier`, or zero when `earlier` is in fact the later one.
    public func nanoseconds(since earlier: MonotonicInstant) -> UInt64 {
        nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
    }

    public static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}

extension MonotonicInstant {
    /// The instant that much later, or earlier for a negative duration.
    public func advanced(by duration: Duration) -> MonotonicInstant {
        if duration >= .zero { return advanced(by: duration.wholeNanoseconds) }
        let back = (Duration.zero - duration).wholeNanoseconds
        return MonotonicInstant(nanoseconds: nanoseconds > back ? nanoseconds - back : 0)
    }

    /// The time from here to the other one; negative where that is the earlier.
    public func duration(to other: MonotonicInstant) -> Duration {
        self <= other ? .nanoseconds(other.nanoseconds - nanoseconds) : .zero - .nanoseconds(nanoseconds - other.nanoseconds)
    }
}
