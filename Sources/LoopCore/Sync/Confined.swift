/// State of a loop's thread in a value that other threads may hold. They cannot get at it: asking for it off the loop's thread traps.
@safe struct Confined<State: AnyObject>: Sendable {
    private nonisolated(unsafe) let state: State

    // SAFETY: `sending`: nobody else knows the state yet.
    init(_ state: sending State) { unsafe self.state = state }

    // SAFETY: one thread at a time is the loop's, and this is it: `core` has checked.
    @inline(__always)
    func on(_ loop: EventLoop) -> State {
        _ = loop.core
        return unsafe state
    }
}
