internal import LoopCore
internal import Synchronization

/// Which port of this process has which descriptor, so that a second one can say so.
///
/// Best effort: epoll itself takes a descriptor any number of times. An entry is only a hint, because a number may have been closed
/// without a word; whether it still holds, the kernel is asked. Without a lock, which a fork could inherit locked. Any thread may call
/// any function here.
final class Bindings: Sendable {
    static let shared = Bindings()

    /// Numbers from here on are not in the table: 32 KiB are enough for a courtesy.
    private static let numbersMax = 4096

    private let entries = InlineArray<4096, Atomic<Binding>> { _ in Atomic(.none) }
    private let forkCount = Atomic<UInt32>(0)

    /// Whether another port watches the open file that the number names now.
    func isElsewhere(_ fd: Int32, than own: Binding) -> Bool {
        forgetParents()
        guard fd < Bindings.numbersMax else { return false }
        let found = entries[Int(fd)].load(ordering: .acquiring)
        return found != .none && found != own && found.epoll != own.epoll && Native.isWatched(fd, by: found.epoll)
    }

    func record(_ fd: Int32, _ own: Binding) {
        guard fd < Bindings.numbersMax else { return }
        entries[Int(fd)].store(own, ordering: .releasing)
    }

    /// Forgets the binding of a descriptor, unless another port has it by now.
    func forget(_ fd: Int32, _ own: Binding) {
        guard fd < Bindings.numbersMax else { return }
        _ = entries[Int(fd)].compareExchange(expected: own, desired: .none, ordering: .acquiringAndReleasing)
    }

    /// A fork has the table of its parent, but none of its parent's ports.
    private func forgetParents() {
        guard forkCount.exchange(Native.forkCount, ordering: .acquiringAndReleasing) != Native.forkCount else { return }
        for place in entries.indices { entries[place].store(.none, ordering: .relaxed) }
    }
}

/// A port and its epoll descriptor, in one word.
struct Binding: Equatable, AtomicRepresentable, RawRepresentable {
    let rawValue: UInt64

    static let none = Binding(rawValue: 0)

    private static let last = Atomic<UInt32>(0)

    init(rawValue: UInt64) { self.rawValue = rawValue }

    /// For a new port. Its half of the word is a number that no other port of the process has.
    init(epoll: Int32) {
        let number = Binding.last.add(1, ordering: .relaxed).newValue
        rawValue = UInt64(number) << 32 | UInt64(UInt32(bitPattern: epoll))
    }

    var epoll: Int32 { Int32(truncatingIfNeeded: rawValue) }
}
