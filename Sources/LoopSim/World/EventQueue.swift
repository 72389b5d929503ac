internal import LoopCore

/// What is going to happen, and when: a binary heap, so that a million scheduled packets are no slower than ten.
struct EventQueue<Event> {
    private struct Entry {
        let due: MonotonicInstant
        /// Of two events that are due at once the one that was scheduled first comes first.
        let order: UInt64
        let event: Event

        func comes(before other: Entry) -> Bool { due == other.due ? order < other.order : due < other.due }
    }

    private var heap: [Entry] = []
    private var lastOrder: UInt64 = 0

    var nextDue: MonotonicInstant? { heap.first?.due }

    mutating func insert(_ event: Event, due: MonotonicInstant) {
        lastOrder += 1
        heap.append(Entry(due: due, order: lastOrder, event: event))
        var place = heap.count - 1
        while place > 0, heap[place].comes(before: heap[(place - 1) / 2]) {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    /// The next event that is due, if one is.
    mutating func takeDue(_ now: MonotonicInstant) -> Event? {
        guard let first = heap.first, first.due <= now else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first.event }
        heap[0] = last
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count && heap[child].comes(before: heap[least]) { least = child }
            if least == place { return first.event }
            heap.swapAt(place, least)
            place = least
        }
    }

    mutating func removeAll() { heap.removeAll() }
}
