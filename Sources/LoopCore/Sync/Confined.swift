/// State of a loop's thread in a value that other threads may hold. They cannot get at it: asking for it off the loop's thread traps.
///
/// For an adapter's own classes, where a fiber or a posted function is to find them again.
@safe public struct Confined<State: AnyObject>: Sendable {
    @usableFromInline nonisolated(unsafe) let state: State
    /// The loop whose state it is; nil where its owner says so itself.
    @usableFromInline let home: ObjectIdentifier?

    // SAFETY: `sending`: nobody else knows the state yet.
    init(_ state: sending State) {
        unsafe self.state = state
        home = nil
    }

    /// Wraps state of the loop that these operations are of.
    // SAFETY: operations are used on their loop's thread alone, and there is no other way to the state than by that thread.
    public init(_ state: State, of operations: Operations) {
        unsafe self.state = state
        home = ObjectIdentifier(operations.loop)
    }

    /// The state. Traps off the loop's thread, and for another loop.
    // SAFETY: one thread at a time is the loop's, and this is it.
    @inlinable
    public func on(_ loop: EventLoop) -> State {
        if !loop.isHere(home) { loop.trapOffThread() }
        return unsafe state
    }

    /// The state, or nil off the loop's thread: for calls that may come from anywhere. Traps for another loop.
    // SAFETY: as above.
    @inlinable
    public func ifOn(_ loop: EventLoop) -> State? {
        guard loop.isHere(home) else { return nil }
        return unsafe state
    }
}

extension EventLoop {
    /// Whether this is the loop's thread. Traps where the loop is not the one that was meant.
    @usableFromInline
    nonisolated func isHere(_ home: ObjectIdentifier?) -> Bool {
        guard thread.isCurrent else { return false }
        if let home, home != ObjectIdentifier(self) { trap("State of one loop was asked for on another.") }
        return true
    }
}
