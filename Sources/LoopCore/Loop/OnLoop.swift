public import _Concurrency

/// An actor that lives on a loop: pinned to it, and keeping it alive.
///
/// Conform a handle of yours, keep the loop in a `nonisolated let`, and ask it for your view of the seam with
/// ``EventLoop/operations(for:)``. Calls from other isolations hop to the loop by themselves.
public protocol OnLoop: Actor {
    /// The loop the actor lives on.
    nonisolated var loop: EventLoop { get }
}

extension OnLoop {
    // SAFETY: the actor retains the loop.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
}

extension EventLoop: OnLoop {
    /// The loop itself.
    public nonisolated var loop: EventLoop { self }
}

// In an extension: Embedded Swift allows a generic method of an actor nowhere else.
extension EventLoop {
    /// An adapter's own view of the seam. It is not Sendable, so it stays with the actor that asked for it.
    public func operations<Owner: OnLoop>(for owner: isolated Owner) -> Operations {
        guard owner.loop === self else { trap("An actor asked a loop it is not pinned to for operations. Ask owner.loop.") }
        return Operations(loop: self, core: core)
    }

    /// The seam for code that has no tasks: checked at run time, once, that this is the loop's thread. The value MUST stay on it.
    public nonisolated func operationsOnThisThread() -> Operations { Operations(loop: self, core: core) }
}
