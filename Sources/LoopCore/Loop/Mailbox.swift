internal import Synchronization
internal import _Concurrency

/// What other threads send to a loop. It outlives the loop for as long as anybody can still write to it.
///
/// Touched by any thread: ``post(_:)``. By the loop's thread alone: the rest. The system call that wakes the loop is made only when the
/// loop is idle and nobody has woken it yet.
@safe final class Mailbox: Sendable {
    private let queue = MailQueue()
    private let attention = Atomic<UInt8>(Attention.awake.rawValue)
    private let waker: any PortWaker

    init(waker: any PortWaker) { self.waker = waker }

    /// What the loop is doing, as far as senders care.
    enum Attention: UInt8 {
        /// It will look into the mailbox before it sleeps.
        case awake
        /// It sleeps, or is about to: it must be woken.
        case idle
        /// It sleeps, and somebody has woken it already.
        case notified
        /// It has ended. Who sends now works the mailbox off himself.
        case closed
    }

    /// Sends, and wakes the loop if it has to be.
    func post(_ mail: consuming Mail) -> Delivery {
        queue.push(mail)
        while true {
            switch Attention(rawValue: attention.load(ordering: .sequentiallyConsistent)) {
            case .idle: if notify() { return .sent }
            case .closed: return .closed
            case .awake, .notified, nil: return .sent
            }
        }
    }

    /// Makes the one wake of this idle period. False where another thread was faster or the system refused: then look again.
    private func notify() -> Bool {
        let (won, _) = attention.compareExchange(
            expected: Attention.idle.rawValue, desired: Attention.notified.rawValue, ordering: .sequentiallyConsistent)
        guard won else { return false }
        if waker.wake() { return true }
        _ = attention.compareExchange(
            expected: Attention.notified.rawValue, desired: Attention.idle.rawValue, ordering: .sequentiallyConsistent)
        return false
    }

    var isEmpty: Bool {
        @inline(__always) get { queue.isEmpty }
    }

    /// The loop is about to sleep. It MUST look at ``isEmpty`` afterwards: a sender who came before saw `awake` and made no wake.
    func arm() {
        // A closed mailbox stays closed.
        _ = attention.compareExchange(
            expected: Attention.awake.rawValue, desired: Attention.idle.rawValue, ordering: .sequentiallyConsistent)
    }

    /// The loop looks after itself again. True if somebody had woken it.
    func disarm() -> Bool {
        let state = attention.load(ordering: .relaxed)
        guard state != Attention.awake.rawValue, state != Attention.closed.rawValue else { return false }
        return attention.exchange(Attention.awake.rawValue, ordering: .sequentiallyConsistent) == Attention.notified.rawValue
    }

    var isClosed: Bool { attention.load(ordering: .sequentiallyConsistent) == Attention.closed.rawValue }

    /// From here on whoever posts is told to work the mailbox off himself.
    func close() { attention.store(Attention.closed.rawValue, ordering: .sequentiallyConsistent) }

    /// Takes everything that was sent, oldest first. One thread at a time.
    @inline(__always)
    func takeAll(_ receive: (consuming Mail) -> Void) { queue.takeAll(receive) }
}

/// What became of something posted.
enum Delivery {
    case sent
    case closed
}

/// One thing sent to a loop.
enum Mail: ~Copyable {
    case job(UnownedJob)
    case call(@Sendable (isolated EventLoop) -> Void)
    case cancel(OperationID)
    case wake(ParkID)
    case cancelFiber(TaskIdentity)
    case complete(OperationID, Completion)
}
