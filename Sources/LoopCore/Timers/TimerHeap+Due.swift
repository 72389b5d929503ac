extension TimerHeap {
    /// A timer that has left the heap: its id is stale, and firing it is up to the caller.
    package struct Due {
        package let id: TimerID
        package let deadline: MonotonicInstant
        package let payload: Payload
    }

    /// Takes the earliest timer out if its deadline is not after `now`. Collected timers come first, whatever `now` is.
    package mutating func popDue(now: MonotonicInstant) -> Due? {
        if collectedCount > 0 { return takeCollected() }
        guard waitingCount > 0, entries[0].deadline <= now.nanoseconds else { return nil }
        let due = takePayload(of: entries[0])
        removeEntry(at: 0)
        trimIfSparse()
        assertInvariants()
        return due
    }

    /// Moves the timers whose deadline is not after `now` into the batch, at most `limit` of them and the earliest first, and returns
    /// how many wait there to be taken.
    ///
    /// While an earlier batch has not been taken to its end, nothing is added to it: a timer that is set by a fired one, however early
    /// its deadline, fires after the batch. Linear in the number of due timers when they fit the limit.
    package mutating func collectDue(now: MonotonicInstant, limit: Int = Self.collectedPerCallMax) -> Int {
        if limit <= 0 { trap("TimerHeap.collectDue: expected a positive limit, found \(limit).") }
        if collectedCount > 0 { return collectedCount }
        guard waitingCount > 0, entries[0].deadline <= now.nanoseconds else { return 0 }
        let found = gatherEarliest(now: now, limit: limit)
        closeHoles(found)
        sortBatch(found)
        for position in 0..<found { slots[batch[position].slot].place = .collected(at: position) }
        batchStart = 0
        batchEnd = found
        collectedCount = found
        assertInvariants()
        return found
    }

    /// Takes the next timer of the batch, or nil when the batch is used up.
    package mutating func takeCollected() -> Due? {
        guard collectedCount > 0 else { return nil }
        let due = takePayload(of: batch[batchStart])
        withdrawCollected()
        trimIfSparse()
        assertInvariants()
        return due
    }

    /// Settles the batch after one of its timers has left it: taken, cancelled or re-armed.
    @inline(__always)
    mutating func withdrawCollected() {
        collectedCount -= 1
        if collectedCount == 0 {
            batchStart = batchEnd
        } else {
            while !isCollected(at: batchStart) { batchStart += 1 }
        }
    }

    @inline(__always)
    func isCollected(at position: Int) -> Bool {
        let slot = batch[position].slot
        return slots[slot].generation != 0 && slots[slot].place == .collected(at: position)
    }

    @inline(__always)
    private mutating func takePayload(of entry: TimerEntry) -> Due {
        let id = id(ofSlot: entry.slot)
        return Due(id: id, deadline: MonotonicInstant(nanoseconds: entry.deadline), payload: vacateSlot(entry.slot))
    }
}
