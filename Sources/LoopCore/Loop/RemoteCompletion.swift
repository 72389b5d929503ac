internal import Synchronization

/// Completes one operation from elsewhere: a thread pool, a wait on an event, another library's callback.
///
/// Sendable, usable from any thread, once: the first completion posts exactly one packet and any later one does nothing. If it is dropped
/// unused it completes the operation as aborted, with the platform's own code for that, so that nobody waits for ever.
///
/// A cancel does not reach it: whoever holds it finishes in any case, or is not needed any more (``RemoteCancel``).
public final class RemoteCompletion: Sendable {
    private let id: OperationID
    private let loop: EventLoop
    /// What the port says of an operation that was ended early: asked for on the loop's thread, which this may not be dropped on.
    private let aborted: Completion
    private let isSpent = Atomic<Bool>(false)

    init(_ id: OperationID, _ loop: EventLoop, aborted: Completion) {
        self.id = id
        self.loop = loop
        self.aborted = aborted
    }

    deinit { send(aborted) }

    /// Posts the packet. Only the first call does.
    public func complete(count: Int = 0, error: SystemCode = .none) {
        send(
            Completion(
                count: count, error: error, status: RawStatus(rawValue: UInt32(bitPattern: error.rawValue)),
                severity: error == .none ? .success : .error))
    }

    private func send(_ completion: Completion) {
        guard !isSpent.exchange(true, ordering: .acquiringAndReleasing) else { return }
        loop.postCompletion(id, completion)
    }
}
