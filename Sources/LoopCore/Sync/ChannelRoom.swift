internal import Synchronization

/// How many elements a channel still has room for, and whether it takes any: in one word, so that a sender on any thread knows at once
/// whether its element is accepted.
///
/// Touched by any thread: ``take()``, ``finish()`` and ``close()``. By the loop's thread alone: the rest. So room that is missing stays
/// missing until the loop says otherwise, and a sender on the loop that finds none can wait without a wake going past it.
final class ChannelRoom: Sendable {
    private let capacity: Int
    /// The places left, in units of a place, and how the channel has ended.
    private let word: Atomic<Int>

    private static let finished = 1
    private static let closed = 2
    private static let place = 4

    init(capacity: Int) {
        self.capacity = capacity
        word = Atomic(capacity * Self.place)
    }

    /// Takes a place for one element, which MUST then be delivered, or the place given back.
    func take() -> SendResult {
        var seen = word.load(ordering: .relaxed)
        while true {
            if seen % Self.place != 0 { return .closed }
            if seen == 0 { return .full }
            let (done, found) = word.weakCompareExchange(
                expected: seen, desired: seen - Self.place, successOrdering: .acquiringAndReleasing, failureOrdering: .relaxed)
            if done { return .sent }
            seen = found
        }
    }

    func giveBack() { word.add(Self.place, ordering: .acquiringAndReleasing) }

    /// Nothing is taken any more.
    func finish() { word.bitwiseOr(Self.finished, ordering: .acquiringAndReleasing) }

    /// As ``finish()``; and what is left will be dropped, so that it never counts as received.
    func close() { word.bitwiseOr(Self.closed, ordering: .acquiringAndReleasing) }

    /// It was finished, and whatever was accepted before has been received: what another thread has sent and the loop not yet seen, too.
    var isDrained: Bool { word.load(ordering: .acquiring) == capacity * Self.place + Self.finished }
}

/// What became of an element that was offered to a ``Channel`` without waiting.
public enum SendResult: Hashable, Sendable {
    /// The channel has it.
    case sent
    /// There was no room.
    case full
    /// The channel, or its loop, has ended.
    case closed
}
