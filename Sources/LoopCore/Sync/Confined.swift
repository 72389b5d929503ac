/// State of a loop's thread in a value that other threads may hold. They cannot get at it: asking for it off the loop's thread traps.
///
/// For an adapter's own classes, where a fiber or a posted function is to find them again.
@safe public struct Confined<State: AnyObject>: Sendable {
    @usableFromInline nonisolated(unsafe) let state: State
    /// The loop whose state it is; nil where its owner says so itself.
    private let home: ObjectIdentifier?

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
        if !isHere(loop) { trapOffThread(loop) }
        return unsafe state
    }

    /// The state, or nil off the loop's thread: for calls that may come from anywhere. Traps for another loop.
    // SAFETY: as above.
    @inlinable
    public func ifOn(_ loop: EventLoop) -> State? {
        guard isHere(loop) else { return nil }
        return unsafe state
    }

    @usableFromInline
    func isHere(_ loop: EventLoop) -> Bool {
        guard loop.thread.isCurrent else { return false }
        if let home, home != ObjectIdentifier(loop) { trap("State of one loop was asked for on another.") }
        return true
    }

    @usableFromInline
    @inline(never)
    func trapOffThread(_ loop: EventLoop) -> Never { loop.trapOffThread() }
}
