internal import Synchronization

/// How many elements a channel still has room for, and whether it takes any: in one word, so that a sender on any thread knows at once
/// whether its element is accepted.
///
/// Touched by any thread: ``take()`` and ``end()``. By the loop's thread alone: the rest. So room that is missing stays missing until the
/// loop says otherwise, and a sender on the loop that finds none can wait without a wake going past it.
final class ChannelRoom: Sendable {
    private let capacity: Int
    /// Twice the places left, and one more once the channel has ended.
    private let word: Atomic<Int>

    init(capacity: Int) {
        self.capacity = capacity
        word = Atomic(capacity * 2)
    }

    /// Takes a place for one element, which MUST then be delivered, or the place given back.
    func take() -> SendResult {
        var seen = word.load(ordering: .relaxed)
        while true {
            if seen & 1 == 1 { return .closed }
            if seen == 0 { return .full }
            let (done, found) = word.weakCompareExchange(
                expected: seen, desired: seen - 2, successOrdering: .acquiringAndReleasing, failureOrdering: .relaxed)
            if done { return .sent }
            seen = found
        }
    }

    func giveBack() { word.add(2, ordering: .acquiringAndReleasing) }

    /// Nothing is taken any more.
    func end() { word.bitwiseOr(1, ordering: .acquiringAndReleasing) }

    var hasEnded: Bool { word.load(ordering: .acquiring) & 1 == 1 }

    /// It has ended, and whatever was accepted before has been received: what another thread has sent and the loop not yet seen, too.
    var isDrained: Bool { word.load(ordering: .acquiring) == capacity * 2 + 1 }
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
