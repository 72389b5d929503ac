/// Descriptors that the next service goes through, each at most once, in the order they were put on: those with an event, and those with a
/// long write that has given way to others.
struct Agenda {
    private var first: Descriptor?
    private var last: Descriptor?
    private(set) var count = 0

    var isEmpty: Bool { first == nil }

    mutating func append(_ descriptor: Descriptor) {
        guard !descriptor.record.isOnAgenda else { return }
        descriptor.record.isOnAgenda = true
        descriptor.record.nextOnAgenda = nil
        if let last { last.record.nextOnAgenda = descriptor } else { first = descriptor }
        last = descriptor
        count += 1
    }

    /// The first few, which stay on it.
    func forEach(first count: Int, _ body: (Descriptor) -> Void) {
        var (left, next) = (count, first)
        while left > 0, let descriptor = next {
            body(descriptor)
            (left, next) = (left - 1, descriptor.record.nextOnAgenda)
        }
    }

    mutating func popFirst() -> Descriptor? {
        guard let descriptor = first else { return nil }
        first = descriptor.record.nextOnAgenda
        if first == nil { last = nil }
        descriptor.record.isOnAgenda = false
        count -= 1
        return descriptor
    }
}
