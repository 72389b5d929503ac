/// Operations in the order they came, linked through their control blocks: adding and removing is a matter of pointers.
///
/// Links are written as fields of their own: a worker that takes the first operation writes to the second, of which the loop's thread may
/// be reading the verb.
struct ParkingLot {
    private(set) var first: Operation?
    private var last: Operation?

    var isEmpty: Bool { first == nil }

    /// Counted by a walk.
    var count: Int {
        var (count, next) = (0, first)
        while let operation = next {
            count += 1
            next = operation.record.next
        }
        return count
    }

    @inline(__always)
    mutating func append(_ operation: Operation) { insert(operation, after: last) }

    /// Puts an operation at the head, where it was before its function ran; but never in front of a write that has begun, whose stream it
    /// would tear.
    mutating func putBack(_ operation: Operation) {
        guard let first, first.record.progress > 0 else { return insert(operation, after: nil) }
        insert(operation, after: first)
    }

    mutating func prepend(_ operation: Operation) { insert(operation, after: nil) }

    @inline(__always)
    mutating func remove(_ operation: Operation) {
        let (previous, next) = (operation.record.previous, operation.record.next)
        if let previous { previous[\.next] = next } else { first = next }
        if let next { next[\.previous] = previous } else { last = previous }
        operation[\.previous] = nil
        operation[\.next] = nil
    }

    mutating func popFirst() -> Operation? {
        guard let operation = first else { return nil }
        remove(operation)
        return operation
    }

    @inline(__always)
    private mutating func insert(_ operation: Operation, after previous: Operation?) {
        let next = if let previous { previous.record.next } else { first }
        operation[\.previous] = previous
        operation[\.next] = next
        if let previous { previous[\.next] = operation } else { first = operation }
        if let next { next[\.previous] = operation } else { last = operation }
    }
}
