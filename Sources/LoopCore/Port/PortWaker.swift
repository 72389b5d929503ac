/// The only part of a port that other threads may touch.
public protocol PortWaker: AnyObject, Sendable {
    /// Ends the present or the next ``CompletionPort/wait(into:for:)`` early. MUST be callable from any thread, also after the port
    /// was closed. Wakes may merge; none may be lost. False says that the system refused: the caller keeps its own record and tries
    /// again.
    func wake() -> Bool

    /// A number that no other living thread has; never zero. The corresponding calls are `pthread_self` and `GetCurrentThreadId`.
    func currentThread() -> UInt
}
