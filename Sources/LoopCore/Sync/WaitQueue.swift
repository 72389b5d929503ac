/// Tasks that wait for something of an adapter's own, first come, first woken: what the loop's own primitives are made of.
///
/// ```swift
/// // With `private lazy var arrivals = operations.makeWaitQueue()`:
/// while received.isEmpty { try await arrivals.wait(timeout: .seconds(1)) }
/// ```
///
/// Whoever looks at a state and waits then misses no wake: the task is in the queue before the call suspends it. It belongs to the loop's
/// thread, as the ``Operations`` it was made from do, and nothing is allocated when it is waited in.
public final class WaitQueue {
    @usableFromInline let loop: EventLoop
    let core: Core
    let list = WaitList()
    let what: WaitedFor

    init(_ loop: EventLoop, _ core: Core, for what: WaitedFor) {
        self.loop = loop
        self.core = core
        self.what = what
    }

    /// Wakes whoever has waited longest. False if nobody waits.
    @discardableResult
    public func wakeFirst() -> Bool { core.wakeFirst(of: list) }

    /// Wakes everybody who waits.
    public func wakeAll() { core.wakeAll(of: list) }

    /// The tasks that wait.
    public var count: Int { list.count }
    /// Whether nobody waits.
    public var isEmpty: Bool { list.isEmpty }
}

extension Operations {
    /// Makes a queue for tasks that wait for something of the adapter's own. What is named is what a ``TimeoutError`` says was waited for.
    public func makeWaitQueue(for what: WaitedFor = .adapter) -> WaitQueue { WaitQueue(loop, core, for: what) }
}
