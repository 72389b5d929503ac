extension TimerHeap {
    /// Takes an entry out of the heap; the last one closes the gap.
    @inline(__always)
    mutating func removeEntry(at position: Int) {
        waitingCount -= 1
        if position < waitingCount { sift(entries[waitingCount], from: position) }
    }

    /// Puts an entry where it belongs, starting from a position that nothing occupies.
    @inline(__always)
    mutating func sift(_ entry: TimerEntry, from position: Int) {
        if position > 0, entry < entries[(position - 1) >> 2] {
            siftUp(entry, from: position)
        } else {
            siftDown(entry, from: position)
        }
    }

    @inline(__always)
    mutating func siftUp(_ entry: TimerEntry, from position: Int) {
        var hole = position
        while hole > 0 {
            let parent = (hole - 1) >> 2
            let above = entries[parent]
            guard entry < above else { break }
            put(above, at: hole)
            hole = parent
        }
        put(entry, at: hole)
    }

    @inline(__always)
    mutating func siftDown(_ entry: TimerEntry, from position: Int) {
        var hole = position
        while let child = earliestChild(of: hole) {
            let below = entries[child]
            guard below < entry else { break }
            put(below, at: hole)
            hole = child
        }
        put(entry, at: hole)
    }

    @inline(__always)
    private func earliestChild(of parent: Int) -> Int? {
        let first = 4 * parent + 1
        if first + 3 < waitingCount {
            // A knock-out round: its two halves do not depend on each other, and a select replaces every branch.
            let left = entries[first + 1] < entries[first] ? first + 1 : first
            let right = entries[first + 3] < entries[first + 2] ? first + 3 : first + 2
            return entries[right] < entries[left] ? right : left
        }
        guard first < waitingCount else { return nil }
        var earliest = first
        for child in first + 1..<waitingCount where entries[child] < entries[earliest] { earliest = child }
        return earliest
    }

    @inline(__always)
    private mutating func put(_ entry: TimerEntry, at position: Int) {
        entries[position] = entry
        slots[entry.slot].place = .waiting(at: position)
    }
}
