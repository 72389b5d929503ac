internal import Synchronization
internal import _Concurrency

/// What other threads send to a loop. It outlives the loop for as long as anybody can still write to it.
///
/// Touched by any thread: ``post(_:)``. By the loop's thread alone: the rest. A push is one allocation and one compare-and-swap; the
/// system call that wakes the loop is made only when the loop is idle and nobody has woken it yet.
@safe final class Mailbox: Sendable {
    /// The newest node, as an address; zero when empty. The chain runs from the newest to the oldest.
    private let newest = Atomic<UInt>(0)
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
        push(mail)
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

    var isEmpty: Bool { newest.load(ordering: .sequentiallyConsistent) == 0 }

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

    // SAFETY: a node belongs to the mailbox from the successful exchange on; before it, to this call alone.
    private func push(_ mail: consuming Mail) {
        let node = UnsafeMutablePointer<MailNode>.allocate(capacity: 1)
        unsafe node.initialize(to: MailNode(mail: mail))
        let address = UInt(bitPattern: node)
        var seen = newest.load(ordering: .relaxed)
        while true {
            unsafe node.pointee.older = seen
            let (done, found) = newest.weakCompareExchange(
                expected: seen, desired: address, successOrdering: .sequentiallyConsistent, failureOrdering: .relaxed)
            if done { return }
            seen = found
        }
    }

    /// Takes everything that was sent, oldest first.
    // SAFETY: the exchange makes the whole chain this call's own.
    func takeAll(_ receive: (consuming Mail) -> Void) {
        guard newest.load(ordering: .relaxed) != 0 else { return }
        var address = newest.exchange(0, ordering: .sequentiallyConsistent)
        var oldest: UInt = 0
        while let node = unsafe UnsafeMutablePointer<MailNode>(bitPattern: address) {
            let next = unsafe node.pointee.older
            unsafe node.pointee.older = oldest
            (oldest, address) = (address, next)
        }
        while let node = unsafe UnsafeMutablePointer<MailNode>(bitPattern: oldest) {
            let moved = unsafe node.move()
            unsafe node.deallocate()
            oldest = moved.older
            receive(moved.mail)
        }
    }

    deinit { takeAll { _ in } }
}

/// What became of something posted.
enum Delivery {
    case sent
    case closed
}

/// One thing sent to a loop.
enum Mail {
    case job(UnownedJob)
    case call(@Sendable (isolated EventLoop) -> Void)
    case cancel(OperationID)
    case wake(ParkID)
    case complete(OperationID, Completion)
}

private struct MailNode {
    var mail: Mail
    var older: UInt = 0

    init(mail: consuming Mail) { self.mail = mail }
}
