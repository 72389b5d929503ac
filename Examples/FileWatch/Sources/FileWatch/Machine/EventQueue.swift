/// The events that nobody has taken yet: at most as many as it was made for, and a rescan behind them.
///
/// Once a rescan is the last in line, whatever happens before somebody takes it is covered by the look that it asks for, and is dropped.
/// So a queue that is never emptied stays bounded, and a slow receiver never works off events of long ago without being told.
struct EventQueue {
    private let eventsMax: Int
    private var events: [DirectoryEvent] = []
    /// Those before this place have been taken.
    private var first = 0

    init(eventsMax: Int) { self.eventsMax = eventsMax }

    var isEmpty: Bool { first == events.count }

    mutating func append(_ event: DirectoryEvent) {
        if !isEmpty, case .rescan = events[events.count - 1] { return }
        events.append(events.count - first < eventsMax ? event : .rescan(.watchQueueFull))
    }

    mutating func takeFirst() -> DirectoryEvent? {
        guard !isEmpty else { return nil }
        let event = events[first]
        first += 1
        // Moves the rest to the front when that is at most as much as was taken: so each event is moved once at most, on average.
        if first * 2 >= events.count {
            events.removeSubrange(..<first)
            first = 0
        }
        return event
    }
}
