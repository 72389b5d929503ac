/// Operations in the order they came, linked through their control blocks: adding and removing is a matter of pointers.
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

    mutating func append(_ operation: Operation) { insert(operation, after: last) }

    /// Puts an operation at the head, where it was before its function ran.
    mutating func prepend(_ operation: Operation) { insert(operation, after: nil) }

    mutating func remove(_ operation: Operation) {
        let (previous, next) = (operation.record.previous, operation.record.next)
        if let previous { previous.record.next = next } else { first = next }
        if let next { next.record.previous = previous } else { last = previous }
        operation.record.previous = nil
        operation.record.next = nil
    }

    mutating func popFirst() -> Operation? {
        guard let operation = first else { return nil }
        remove(operation)
        return operation
    }

    private mutating func insert(_ operation: Operation, after previous: Operation?) {
        let next = if let previous { previous.record.next } else { first }
        operation.record.previous = previous
        operation.record.next = next
        if let previous { previous.record.next = operation } else { first = operation }
        if let next { next.record.previous = operation } else { last = operation }
    }
}
