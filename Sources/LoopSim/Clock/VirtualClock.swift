public import LoopCore
internal import Synchronization

/// A monotonic clock that stands still until somebody moves it.
///
/// Two do: a test that calls ``advance(by:)``, and a simulated port that "sleeps", which moves it to the instant the sleep would have
/// ended. So a test of a two-second timeout takes no time, and a deadline is met to the nanosecond or not at all.
public final class VirtualClock: Sendable {
    private let nanoseconds: Atomic<UInt64>

    /// The clock starts at one second, so that an instant somebody forgot to set (zero) lies in the past.
    public init(nanoseconds: UInt64 = 1_000_000_000) { self.nanoseconds = Atomic(nanoseconds) }

    public var now: MonotonicInstant { MonotonicInstant(nanoseconds: nanoseconds.load(ordering: .relaxed)) }

    /// Lets time pass. What falls due meanwhile happens at the next look at the port.
    public func advance(by nanoseconds: UInt64) { advance(to: now.advanced(by: nanoseconds)) }

    /// Lets time pass up to an instant. One that is over already moves nothing: the clock is monotonic.
    public func advance(to instant: MonotonicInstant) {
        _ = nanoseconds.max(instant.nanoseconds, ordering: .relaxed)
    }
}
