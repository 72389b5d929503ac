/// Descriptors that the next service goes through, each at most once, in the order they were put on: those with an event, and those with a
/// long write that has given way to others.
struct Agenda {
    private var first: Descriptor?
    private var last: Descriptor?

    var isEmpty: Bool { first == nil }

    mutating func append(_ descriptor: Descriptor) {
        guard !descriptor.record.isOnAgenda else { return }
        descriptor.record.isOnAgenda = true
        descriptor.record.nextOnAgenda = nil
        if let last { last.record.nextOnAgenda = descriptor } else { first = descriptor }
        last = descriptor
    }

    mutating func popFirst() -> Descriptor? {
        guard let descriptor = first else { return nil }
        first = descriptor.record.nextOnAgenda
        if first == nil { last = nil }
        descriptor.record.isOnAgenda = false
        return descriptor
    }

    /// The descriptors that are on it now; what comes later goes on a new one.
    mutating func takeAll() -> Agenda {
        let all = self
        self = Agenda()
        return all
    }
}
