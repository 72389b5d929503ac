/// The linear sweep behind `collectDue`. Due timers form a tree at the root of the heap, so they are found without looking at more than
/// the others that hang directly below them.
extension TimerHeap {
    /// Entries that a cutoff is estimated from; sorting them costs some 20 µs, and the error of the estimate is a few per cent.
    private static var samplesMax: Int { 1 << 10 }

    /// Copies the earliest due entries into the batch, at most `limit`, and their positions into `holes`, ascending.
    mutating func gatherEarliest(now: MonotonicInstant, limit: Int) -> Int {
        var cutoff = TimerEntry(lastDueAt: now)
        while true {
            if let found = gather(upTo: cutoff, limit: limit) { return found }
            // Too many: lower the cutoff and start again. It falls each time, at last to the root's own entry, which gathers just one.
            cutoff = medianOfTop(upTo: cutoff, size: limit)
        }
    }

    /// Copies every entry up to the cutoff, and gives up with nil when there are more than `limit`. The root MUST be one of them.
    private mutating func gather(upTo cutoff: TimerEntry, limit: Int) -> Int? {
        holes[0] = 0
        batch[0] = entries[0]
        var found = 1
        var visited = 0
        while visited < found {
            let firstChild = 4 * Int(holes[visited]) + 1
            // Positions ascend, so none of the later ones has children either.
            if firstChild >= waitingCount { break }
            if found + 4 > batch.capacity { growBatch(to: min(limit, waitingCount) + 4, keeping: found) }
            for child in firstChild..<min(firstChild + 4, waitingCount) {
                // Written first and counted only if due: at the fringe, a branch would be mispredicted every other time.
                batch[found] = entries[child]
                holes[found] = UInt32(truncatingIfNeeded: child)
                found += cutoff < entries[child] ? 0 : 1
            }
            if found > limit { return nil }
            visited += 1
        }
        return found
    }

    /// An entry that about half of the `size` topmost ones do not come after. Those being early ones, about `size` × 0.6 come before it in
    /// a heap of random deadlines (measured), and the next attempt to gather succeeds.
    private mutating func medianOfTop(upTo cutoff: TimerEntry, size: Int) -> TimerEntry {
        let top = min(size, waitingCount)
        let step = max(1, top / Self.samplesMax)
        if batch.capacity <= top / step { growBatch(to: top / step + 1, keeping: 0) }
        var samples = 0
        for position in stride(from: 0, to: top, by: step) where !(cutoff < entries[position]) {
            batch[samples] = entries[position]
            samples += 1
        }
        sortBatch(samples)
        return batch[(samples - 1) / 2]
    }

    /// Repairs the heap after its entries at the first `count` of `holes` have left: the tail fills the holes that remain, each entry of
    /// it moving once, and is sifted down from the deepest hole to the root. Holes include all their ancestors, so below the
    /// deepest one the order is intact.
    mutating func closeHoles(_ count: Int) {
        let before = waitingCount
        waitingCount -= count
        var inside = count
        while inside > 0, Int(holes[inside - 1]) >= waitingCount { inside -= 1 }
        var filled = 0
        var vacant = inside
        for position in waitingCount..<before {
            if vacant < count, Int(holes[vacant]) == position {
                vacant += 1
            } else {
                entries[Int(holes[filled])] = entries[position]
                filled += 1
            }
        }
        for hole in stride(from: inside - 1, through: 0, by: -1) {
            let position = Int(holes[hole])
            siftDown(entries[position], from: position)
        }
    }

    mutating func sortBatch(_ count: Int) {
        if count > RawColumn<TimerEntry>.insertionSortMax, spare.capacity != batch.capacity { spare = RawColumn(capacity: batch.capacity) }
        batch.sortIntoFiringOrder(count: count, spare: &spare)
    }

    /// At once to the size that can be needed: memory that is never written costs nothing, copying it on the way there would.
    private mutating func growBatch(to size: Int, keeping count: Int) {
        let capacity = max(size, 2 * batch.capacity)
        batch.resize(to: capacity, keeping: count)
        holes.resize(to: capacity, keeping: count)
    }
}
