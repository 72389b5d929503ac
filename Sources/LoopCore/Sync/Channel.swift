internal import _Concurrency

/// A queue of bounded length between tasks: any number of them send and receive, and who finds it full, or empty, waits his turn.
///
/// It is received from in the order of sending. Each element goes to one receiver. Threads without tasks send too (``trySend(_:)``).
///
/// Two ends: ``finish()`` lets receivers have what was sent before, and then tells them that nothing more will come; ``close()`` drops it.
public actor Channel<Element: Sendable>: OnLoop {
    /// The loop it lives on.
    public nonisolated let loop: EventLoop
    /// The most elements that it holds.
    public nonisolated let capacity: Int
    private nonisolated let room: ChannelRoom
    private nonisolated let state: Confined<ChannelState<Element>>

    /// Makes an empty channel with room for so many elements, one at least.
    public init(on loop: EventLoop, capacity: Int) {
        guard capacity > 0 else { trap("A Channel has room for one element at least, not for \(capacity).") }
        self.loop = loop
        self.capacity = capacity
        room = ChannelRoom(capacity: capacity)
        state = Confined(ChannelState())
    }

    /// Sends, and waits for room if there is none. Throws ``WaitError/closed`` if the channel has ended.
    ///
    /// An element that this throws for was not sent. One that found room was, even if the task was cancelled meanwhile.
    public func send(_ element: Element, timeout: Duration? = nil) async throws(WaitError) {
        guard !TaskIdentity.isCurrentCancelled else { throw .cancelled }
        guard !loop.core.isEnded else { throw .closed }
        let state = state.on(loop)
        switch room.take() {
        case .sent: break
        case .closed: throw .closed
        case .full:
            let place = try loop.core.takePlace(in: state.senders, timeout: timeout, for: .channel, loop)
            // Who is woken has been handed the place of an element that was received.
            try await loop.wait(at: place).get()
        }
        deliver(element, state)
        if state.isClosed { throw .closed }
    }

    /// Sends if there is room. Callable from any thread; on the loop's own the element is there at once.
    ///
    /// It never overtakes a task that waits for room.
    public nonisolated func trySend(_ element: Element) -> SendResult {
        guard !loop.mailbox.isClosed else { return .closed }
        let result = room.take()
        guard result == .sent else { return result }
        if loop.isOnLoopThread {
            deliver(element, state.on(loop))
        } else {
            loop.post { _ in self.deliver(element, self.state.on(self.loop)) }
        }
        return .sent
    }

    /// Waits for the next element. Nil when the channel has been finished and nothing is left, ``WaitError/closed`` when it was closed.
    ///
    /// Nothing is lost: a task that an element was handed to returns it, cancelled meanwhile or not.
    public func receive(timeout: Duration? = nil) async throws(WaitError) -> Element? {
        guard !TaskIdentity.isCurrentCancelled else { throw .cancelled }
        let state = state.on(loop)
        if let element = take(state) { return element }
        if state.isClosed || room.isDrained { return try end(state) }
        let place = try loop.core.takePlace(in: state.receivers, timeout: timeout, for: .channel, loop)
        switch await loop.wait(at: place) {
        case .signalled:
            // Closed meanwhile: what was promised has been dropped with the rest.
            guard !state.isClosed else { throw .closed }
            state.promised -= 1
            return take(state)
        case .closed: return try end(state)
        case .timedOut: throw .timedOut
        case .cancelled: throw .cancelled
        }
    }

    /// Takes an element if one is there.
    public func tryReceive() -> Element? { take(state.on(loop)) }

    /// The elements that are there to be received.
    public var count: Int { state.on(loop).unpromised }

    /// Ends it for senders: those that wait for room are told that it is closed. Receivers get what was sent before, then nil.
    ///
    /// Callable from any thread. What that thread sent before is received; what anybody sends afterwards is refused.
    public nonisolated func finish() {
        room.finish()
        guard loop.isOnLoopThread else { return loop.post { _ in self.finish() } }
        let state = state.on(loop)
        loop.core.wakeAll(of: state.senders, .closed)
        tellIfDrained(state)
    }

    /// Ends it for everybody, and drops what has not been received: whoever waits, and whoever comes, is told that it is closed.
    ///
    /// Callable from any thread.
    public nonisolated func close() {
        room.close()
        guard loop.isOnLoopThread else { return loop.post { _ in self.close() } }
        let state = state.on(loop)
        state.isClosed = true
        loop.core.wakeAll(of: state.senders, .closed)
        loop.core.wakeAll(of: state.receivers, .closed)
        state.promised = 0
        while state.elements.popFirst() != nil { room.giveBack() }
    }

    /// Puts an element where its place was taken.
    private nonisolated func deliver(_ element: Element, _ state: ChannelState<Element>) {
        guard !state.isClosed else { return room.giveBack() }
        state.elements.append(element)
        if loop.core.wakeFirst(of: state.receivers) { state.promised += 1 }
    }

    /// Takes the next element that no woken receiver is on its way to, and hands its place to whoever has waited longest for one.
    private nonisolated func take(_ state: ChannelState<Element>) -> Element? {
        guard state.unpromised > 0, let element = state.elements.popFirst() else { return nil }
        if !loop.core.wakeFirst(of: state.senders) {
            room.giveBack()
            tellIfDrained(state)
        }
        return element
    }

    private nonisolated func tellIfDrained(_ state: ChannelState<Element>) {
        if room.isDrained { loop.core.wakeAll(of: state.receivers, .closed) }
    }

    /// What a receiver is told that nothing comes to any more.
    private nonisolated func end(_ state: ChannelState<Element>) throws(WaitError) -> Element? {
        guard room.isDrained else { throw .closed }
        return nil
    }
}

/// What a channel holds on its loop.
private final class ChannelState<Element> {
    var elements = Ring<Element>(capacity: 1)
    /// Elements at the front that receivers were woken for and have not fetched yet: nobody else may take them.
    var promised = 0
    let receivers = WaitList()
    let senders = WaitList()
    /// Closed, not finished: what comes is dropped.
    var isClosed = false

    var unpromised: Int { elements.count - promised }
}
