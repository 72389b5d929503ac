extension TimerHeap {
    /// The number of an arming: never zero, above all that the heap holds.
    @inline(__always)
    mutating func drawTicket() -> UInt32 {
        if nextTicket == .max { renumber() }
        nextTicket += 1
        return nextTicket - 1
    }

    /// Deals the waiting timers the lowest tickets, in firing order, so that numbers never run out. Happens once in 2³² armings.
    ///
    /// Collected timers need no new tickets: their order is settled. Generations of live timers keep the old numbers.
    private mutating func renumber() {
        var scratch = RawColumn<TimerEntry>(capacity: entries.capacity, lead: entries.lead)
        entries.sortIntoFiringOrder(count: waitingCount, spare: &scratch)
        nextTicket = 1
        for position in 0..<waitingCount {
            // Sorted entries are a heap as they stand.
            let entry = entries[position]
            entries[position] = TimerEntry(deadline: MonotonicInstant(nanoseconds: entry.deadline), ticket: nextTicket, slot: entry.slot)
            slots[entry.slot].place = .waiting(at: position)
            nextTicket += 1
        }
    }
}
