/// A queue of suspended tasks, first come, first woken. It belongs to the loop's thread, and allocates nothing when it is waited in.
///
/// The places are in the loop's ``ParkTable``; this holds the two ends of the chain.
final class WaitList {
    fileprivate(set) var first: UInt32?
    fileprivate(set) var last: UInt32?
    fileprivate(set) var count = 0

    var isEmpty: Bool { count == 0 }
}

extension ParkTable {
    /// Enters a place at the end of a list.
    // SAFETY: retained for as long as the place stands in it.
    func link(_ index: UInt32, into list: WaitList) {
        unsafe self[index].list = .passRetained(list)
        self[index].previous = list.last
        if let last = list.last { self[last].next = index } else { list.first = index }
        list.last = index
        list.count += 1
    }

    /// Takes a place out of its list, wherever it stands there.
    // SAFETY: retained by `link`, and released when nothing more is done with it.
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
        unsafe reference.release()
    }
}
