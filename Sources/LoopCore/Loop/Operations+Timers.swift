extension Operations {
    /// The loop's clock.
    public var now: MonotonicInstant { core.port.now() }

    /// Calls a function at an instant: not before it, and as soon after it as the loop can.
    @discardableResult
    public func call(at instant: MonotonicInstant, _ call: @escaping () -> Void) -> TimerID { core.timers.insert(instant, .call(call)) }

    /// Calls a function after a time.
    @discardableResult
    public func call(after time: Duration, _ call: @escaping () -> Void) -> TimerID {
        core.timers.insert(core.port.now().advanced(by: time.wholeNanoseconds), .call(call))
    }

    /// Removes a timer at once. False if it has fired, or never was.
    @discardableResult
    public func cancel(_ timer: TimerID) -> Bool { core.timers.cancel(timer) != nil }

    /// Moves a timer to another instant. False if it has fired, or never was.
    @discardableResult
    public func move(_ timer: TimerID, to instant: MonotonicInstant) -> Bool { core.timers.rearm(timer, instant) }
}
