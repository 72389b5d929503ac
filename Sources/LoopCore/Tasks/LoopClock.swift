#if !hasFeature(Embedded)
public import _Concurrency

/// The loop's clock, for `Task.sleep(for:clock:)` and what else takes one: a sleep on it is one of the loop's timers, where one on the
/// standard clocks starts a thread of Dispatch's.
public struct LoopClock: Clock {
    /// The loop whose clock it is.
    public let loop: EventLoop

    /// Time on a loop is counted in nanoseconds from an origin that only its port knows.
    public var now: MonotonicInstant { loop.now }

    public var minimumResolution: Duration { .nanoseconds(1) }

    /// Sleeps on the loop, from wherever it is called. Throws `CancellationError` when the task is cancelled.
    public func sleep(until deadline: MonotonicInstant, tolerance: Duration? = nil) async throws {
        do throws(WaitError) {
            try await loop.sleepOnLoop(deadline, tolerance)
        } catch {
            throw error == .cancelled ? CancellationError() : error
        }
    }
}

extension EventLoop {
    /// The loop's clock, to sleep on and to measure by. Its `now` MUST be asked for on the loop's thread.
    public nonisolated var clock: LoopClock { LoopClock(loop: self) }

    fileprivate func sleepOnLoop(_ deadline: MonotonicInstant, _ tolerance: Duration?) async throws(WaitError) {
        try await sleep(until: deadline, tolerance: tolerance)
    }
}

// Its requirements are there for embedded programs too, which have no protocol for them.
extension MonotonicInstant: InstantProtocol {}
#endif
