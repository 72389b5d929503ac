/// Handles that the driver of sockets has said something about, each at most once, in the order in which it did.
struct Agenda {
    private var first: BoundHandle?
    private var last: BoundHandle?

    var isEmpty: Bool { first == nil }

    mutating func append(_ handle: BoundHandle) {
        guard !handle.record.isOnAgenda else { return }
        handle.record.isOnAgenda = true
        handle.record.nextOnAgenda = nil
        if let last { last.record.nextOnAgenda = handle } else { first = handle }
        last = handle
    }

    mutating func popFirst() -> BoundHandle? {
        guard let handle = first else { return nil }
        first = handle.record.nextOnAgenda
        if first == nil { last = nil }
        handle.record.isOnAgenda = false
        return handle
    }

    /// The handles that are on it now; what comes later goes on a new one.
    mutating func takeAll() -> Agenda {
        let all = self
        self = Agenda()
        return all
    }
}
