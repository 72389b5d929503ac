/// A queue of suspended tasks, first come, first woken. It belongs to the loop's thread, and allocates nothing when it is waited in.
///
/// The places are in the loop's ``ParkTable``; this holds the two ends of the chain.
final class WaitList {
    fileprivate(set) var first: UInt32?
    fileprivate(set) var last: UInt32?
    fileprivate(set) var count = 0

    var isEmpty: Bool { count == 0 }

    deinit {
        if count > 0 { trap("A list was dropped while tasks wait in it: \(count). This is a bug of Portloop.") }
    }
}

// Whoever waits does so in a call of the list's owner, which keeps the list for as long as the call lasts. So a place that stands in a list
// does not retain it, which would be two atomic operations for each wait.
extension ParkTable {
    /// Enters a place at the end of a list.
    // SAFETY: the list is there for as long as the place stands in it; see above, and the list's own check.
    @inline(__always)
    func link(_ index: UInt32, into list: WaitList) {
        unsafe self[index].list = .passUnretained(list)
        self[index].previous = list.last
        if let last = list.last { self[last].next = index } else { list.first = index }
        list.last = index
        list.count += 1
    }

    /// Takes a place out of its list, wherever it stands there.
    // SAFETY: as for `link`.
    @inline(__always)
    func unlink(_ index: UInt32) {
        guard let reference = unsafe self[index].list.take() else { return }
        let (previous, next) = (self[index].previous, self[index].next)
        unsafe reference._withUnsafeGuaranteedRef { list in
            if let previous { self[previous].next = next } else { list.first = next }
            if let next { self[next].previous = previous } else { list.last = previous }
            list.count -= 1
        }
        self[index].previous = nil
        self[index].next = nil
    }
}
