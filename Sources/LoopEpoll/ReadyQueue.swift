internal import LoopCore

/// Finished operations whose packets nobody has taken yet, in the order they finished.
///
/// Singly linked behind an operation that is never anybody's, so that queueing one is three stores and no branch: it is in the path of
/// every packet.
struct ReadyQueue {
    private let front: Operation
    private var last: Operation

    init() {
        front = Operation(allocating: .front)
        last = front
    }

    /// Frees the front; the operations are the ledger's.
    func deallocate() { front.deallocate() }

    var isEmpty: Bool { last == front }

    mutating func append(_ operation: Operation) {
        operation.record.next = nil
        last.record.next = operation
        last = operation
    }

    /// Takes up to `max` operations, the oldest first, and returns how many there were. The body gets each with its index.
    @inline(__always)
    mutating func take(max: Int, _ body: (Int, Operation) -> Void) -> Int {
        var count = 0
        var next = front.record.next
        while count < max, let operation = next {
            next = operation.record.next
            body(count, operation)
            count += 1
        }
        front.record.next = next
        if next == nil { last = front }
        return count
    }
}

extension EpollRequest {
    /// An operation of nobody.
    fileprivate static var front: EpollRequest {
        // SAFETY: no memory is lent to it.
        unsafe EpollRequest(
            verb: .none, place: .untouched, traits: [], fd: -1, key: HandleKey(slot: 0, generation: 0), next: nil, previous: nil,
            buffer: nil, length: 0, offset: 0, address: nil, work: .none)
    }
}
