internal import _Concurrency

extension EventLoop {
    /// Sleeps for a time, on the loop's timers. Ends early, and throws, when the task is cancelled: then the timer is gone at once.
    ///
    /// With a tolerance the loop may wake up later by as much, together with others.
    public nonisolated(nonsending) func sleep(for time: Duration, tolerance: Duration? = nil) async throws(WaitError) {
        let instant = core.port.now().advanced(by: time.wholeNanoseconds)
        let place = try sleepPlace(instant, tolerance)
        try endSleep(await wait(at: place), instant)
    }

    /// Sleeps until an instant of the loop's clock.
    public nonisolated(nonsending) func sleep(until instant: MonotonicInstant, tolerance: Duration? = nil) async throws(WaitError) {
        let place = try sleepPlace(instant, tolerance)
        try endSleep(await wait(at: place), instant)
    }

    private nonisolated func sleepPlace(_ instant: MonotonicInstant, _ tolerance: Duration?) throws(WaitError) -> ParkID {
        let core = core
        guard !core.isClosing else { throw .closed }
        guard !TaskIdentity.isCurrentCancelled else { throw .cancelled }
        let deadline = instant.coarsened(within: tolerance?.wholeNanoseconds ?? 0)
        return core.reserve(in: nil, until: deadline, for: .sleep, self)
    }

    private nonisolated func endSleep(_ wakeup: Wakeup, _ instant: MonotonicInstant) throws(WaitError) {
        switch wakeup {
        case .signalled: trap("A sleep was signalled.")
        // A timeout around the sleep may have ended it.
        case .timedOut: if core.port.now() < instant { throw .timedOut }
        case .cancelled: throw .cancelled
        case .closed: throw .closed
        }
    }
}

extension MonotonicInstant {
    /// The roundest instant from this one on: sleeps that tolerate each other's deadlines then share one wake-up.
    func coarsened(within tolerance: UInt64) -> MonotonicInstant {
        guard tolerance > 0, self != .distantFuture else { return self }
        // The largest power of two in the tolerance has a multiple within it.
        let step = UInt64(1) << UInt64(UInt64.bitWidth - 1 - tolerance.leadingZeroBitCount)
        return advanced(by: (step - nanoseconds % step) % step)
    }
}
