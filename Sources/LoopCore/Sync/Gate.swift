internal import _Concurrency

/// Open or closed: who comes to a closed gate waits until it opens, and then everybody who waits goes through.
public actor Gate: OnLoop {
    /// The loop it lives on.
    public nonisolated let loop: EventLoop
    private nonisolated let state: Confined<GateState>

    /// Makes a gate, closed unless told otherwise.
    public init(on loop: EventLoop, _ position: GatePosition = .closed) {
        self.loop = loop
        state = Confined(GateState(position))
    }

    /// Goes through, or waits for the gate to open. Who waited goes through even if it has been closed again since.
    public func wait(timeout: Duration? = nil) async throws(WaitError) {
        guard !TaskIdentity.isCurrentCancelled else { throw .cancelled }
        let state = state.on(loop)
        guard state.position == .closed else { return }
        let place = try loop.core.takePlace(in: state.waiters, timeout: timeout, for: .gate, loop)
        try await loop.wait(at: place).get()
    }

    /// Whether it is open.
    public var position: GatePosition { state.on(loop).position }

    /// Opens it, and lets everybody through who waits. Callable from any thread.
    public nonisolated func open() {
        guard loop.isOnLoopThread else { return loop.post { _ in self.open() } }
        let state = state.on(loop)
        state.position = .open
        loop.core.wakeAll(of: state.waiters)
    }

    /// Closes it for those who come from here on. Callable from any thread.
    public nonisolated func close() {
        guard loop.isOnLoopThread else { return loop.post { _ in self.close() } }
        state.on(loop).position = .closed
    }
}

/// What a ``Gate`` is.
public enum GatePosition: Hashable, Sendable {
    /// Everybody goes through.
    case open
    /// Everybody waits.
    case closed
}

private final class GateState {
    var position: GatePosition
    let waiters = WaitList()

    init(_ position: GatePosition) { self.position = position }
}
