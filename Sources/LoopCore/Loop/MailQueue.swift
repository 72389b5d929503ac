internal import Synchronization

// What was sent and not yet taken, in the order it was sent.
//
//     senders ──claim──▶ ┌ring of cells┐ ──▶ the loop       no allocation: a cell is used again and again
//        └──when it is full──▶ chain of nodes ──▶           one allocation each; after what was in the ring by then
//
// Each node notes the place that was the ring's next when it was made, and is taken when the loop has come to that place: what its sender
// had sent before is in front of it, what it sends afterwards is in the chain behind it, or, once the chain was taken, at that place or
// later. One note for the whole chain would not do: whoever takes it reads the ring's next place a moment before or after, and in that
// moment a sender may have gone back to the ring.

/// The mail of a loop: many threads put in, one at a time takes out.
@safe struct MailQueue: ~Copyable, Sendable {
    /// Of a length that no sender's burst between two turns fills in the usual case; four kilobytes of each loop.
    static let cellsMax: UInt = 64

    /// Whose turn it is with each cell: the number of its place while it may be claimed, and one more while its mail may be taken.
    // SAFETY: looked at by everybody.
    private nonisolated(unsafe) let turns: UnsafeMutablePointer<Atomic<UInt>>
    /// What is in the cells. Apart from the turns: in one structure with them, to touch the one would formally be to touch the other.
    // SAFETY: a cell's mail belongs to the sender who claimed its place until it says so by the turn, and then to the taker.
    private nonisolated(unsafe) let mails: UnsafeMutablePointer<Mail?>
    /// The next place to be claimed.
    private let tail = Atomic<UInt>(0)
    /// The next place to be taken. Written by the taker alone.
    private let head = Atomic<UInt>(0)
    /// The newest node of the chain, as an address; zero when there is none. The chain runs from the newest to the oldest.
    private let newest = Atomic<UInt>(0)
    /// A chain that was taken, oldest first. The taker's alone.
    private let held = Atomic<UInt>(0)

    // SAFETY: every cell is initialised, and given back when nobody can reach the queue any more.
    init() {
        unsafe turns = .allocate(capacity: Int(Self.cellsMax))
        unsafe mails = .allocate(capacity: Int(Self.cellsMax))
        for place in 0..<Self.cellsMax {
            unsafe (turns + Int(place)).initialize(to: Atomic(place))
            unsafe (mails + Int(place)).initialize(to: nil)
        }
    }

    // SAFETY: as above; what is still in a cell is destroyed with it.
    deinit {
        while !isEmpty { takeAll { _ in } }
        unsafe turns.deinitialize(count: Int(Self.cellsMax))
        unsafe mails.deinitialize(count: Int(Self.cellsMax))
        unsafe turns.deallocate()
        unsafe mails.deallocate()
    }

    /// Whether the taker would find nothing. A place that is claimed and not filled yet is nothing: who fills it looks after the wake.
    var isEmpty: Bool {
        @inline(__always) get {
            let place = head.load(ordering: .relaxed)
            guard turn(at: place) != place &+ 1 else { return false }
            let nobodyChained = newest.load(ordering: .sequentiallyConsistent) == 0 && held.load(ordering: .relaxed) == 0
            return nobodyChained || tail.load(ordering: .sequentiallyConsistent) != place
        }
    }

    func push(_ mail: consuming Mail) {
        guard newest.load(ordering: .acquiring) == 0, let place = claim() else { return chain(mail) }
        fill(place, mail)
    }

    /// Takes what was sent before the call, in order.
    @inline(__always)
    func takeAll(_ receive: (consuming Mail) -> Void) {
        if newest.load(ordering: .relaxed) != 0, held.load(ordering: .relaxed) == 0 { holdChain() }
        takeRing(receive)
    }

    // MARK: the ring

    @inline(__always)
    private func turn(at place: UInt) -> UInt {
        // SAFETY: the place is in the ring, and a cell's turn may be looked at by everybody.
        unsafe (turns + Int(place % Self.cellsMax)).pointee.load(ordering: .sequentiallyConsistent)
    }

    /// A place for one mail; nil where the ring is full.
    func claim() -> UInt? {
        var place = tail.load(ordering: .relaxed)
        while true {
            let ahead = Int(bitPattern: turn(at: place) &- place)
            if ahead < 0 { return nil }
            if ahead > 0 {
                place = tail.load(ordering: .relaxed)
                continue
            }
            let (isOurs, found) = tail.weakCompareExchange(
                expected: place, desired: place &+ 1, successOrdering: .sequentiallyConsistent, failureOrdering: .relaxed)
            if isOurs { return place }
            place = found
        }
    }

    // SAFETY: the place was claimed by the caller, and nobody else touches its mail until the turn says so.
    func fill(_ place: UInt, _ mail: consuming Mail) {
        let cell = Int(place % Self.cellsMax)
        unsafe (mails + cell).pointee = consume mail
        unsafe (turns + cell).pointee.store(place &+ 1, ordering: .sequentiallyConsistent)
    }

    @inline(__always)
    private func takeRing(_ receive: (consuming Mail) -> Void) {
        var place = head.load(ordering: .relaxed)
        guard turn(at: place) == place &+ 1 || held.load(ordering: .relaxed) != 0 else { return }
        let end = tail.load(ordering: .sequentiallyConsistent)
        while true {
            if held.load(ordering: .relaxed) != 0 { takeHeld(upTo: place, receive) }
            guard place != end, let mail = empty(place) else { return }
            place &+= 1
            head.store(place, ordering: .relaxed)
            receive(mail)
        }
    }

    /// The mail of a place, which is free for the next round afterwards; nil where it is claimed and not filled yet.
    // SAFETY: the turn says that the mail is the taker's.
    @inline(__always)
    private func empty(_ place: UInt) -> Mail? {
        let cell = Int(place % Self.cellsMax)
        guard unsafe (turns + cell).pointee.load(ordering: .acquiring) == place &+ 1 else { return nil }
        let mail = unsafe (mails + cell).pointee.take()
        unsafe (turns + cell).pointee.store(place &+ Self.cellsMax, ordering: .releasing)
        return mail
    }

    // MARK: the chain

    // SAFETY: a node belongs to the queue from the successful exchange on; before it, to this call alone.
    @inline(never)
    private func chain(_ mail: consuming Mail) {
        let node = UnsafeMutablePointer<MailNode>.allocate(capacity: 1)
        unsafe node.initialize(to: MailNode(mail: mail, before: tail.load(ordering: .sequentiallyConsistent)))
        var seen = newest.load(ordering: .relaxed)
        while true {
            unsafe node.pointee.next = seen
            let (isDone, found) = newest.weakCompareExchange(
                expected: seen, desired: UInt(bitPattern: node), successOrdering: .sequentiallyConsistent, failureOrdering: .relaxed)
            if isDone { return }
            seen = found
        }
    }

    /// Takes the chain, and turns it round.
    // SAFETY: the exchange makes the whole chain this call's own.
    @inline(never)
    private func holdChain() {
        var address = newest.exchange(0, ordering: .sequentiallyConsistent)
        var oldest: UInt = 0
        while let node = unsafe UnsafeMutablePointer<MailNode>(bitPattern: address) {
            let next = unsafe node.pointee.next
            unsafe node.pointee.next = oldest
            (oldest, address) = (address, next)
        }
        held.store(oldest, ordering: .relaxed)
    }

    /// Takes the nodes that come before what is at a place of the ring.
    // SAFETY: the chain that is held is the taker's own.
    @inline(never)
    private func takeHeld(upTo place: UInt, _ receive: (consuming Mail) -> Void) {
        while let node = unsafe UnsafeMutablePointer<MailNode>(bitPattern: held.load(ordering: .relaxed)),
            unsafe Int(bitPattern: place &- node.pointee.before) >= 0
        {
            let moved = unsafe node.move()
            unsafe node.deallocate()
            held.store(moved.next, ordering: .relaxed)
            receive(moved.mail)
        }
    }
}

private struct MailNode: ~Copyable {
    var mail: Mail
    /// The place of the ring that it comes before.
    let before: UInt
    var next: UInt = 0

    init(mail: consuming Mail, before: UInt) {
        self.mail = mail
        self.before = before
    }
}
