extension TimerHeap {
    /// Timers that have neither fired nor been cancelled, collected ones included.
    package var count: Int { waitingCount + collectedCount }

    /// The earliest deadline of all; in the past while collected timers wait to be taken.
    ///
    /// Inlined: for a call, the compiler copies the whole heap's fields first, twice a turn (seen).
    package var nextDeadline: MonotonicInstant? {
        @inline(__always) get {
            var earliest: UInt64?
            if waitingCount > 0 { earliest = entries[0].deadline }
            if collectedCount > 0 { earliest = min(earliest ?? .max, batch[batchStart].deadline) }
            return earliest.map { MonotonicInstant(nanoseconds: $0) }
        }
    }

    package func contains(_ id: TimerID) -> Bool {
        slot(of: id) != nil
    }

    package func deadline(of id: TimerID) -> MonotonicInstant? {
        guard let slot = slot(of: id) else { return nil }
        let place = slots[slot].place
        return MonotonicInstant(nanoseconds: place.isCollected ? batch[place.position].deadline : entries[place.position].deadline)
    }

    /// Sets a timer. Of equal deadlines, the one set or re-armed first fires first.
    package mutating func insert(_ deadline: MonotonicInstant, _ payload: consuming Payload) -> TimerID {
        let ticket = drawTicket()
        let slot = occupySlot(generation: ticket, payload: payload)
        waitingCount += 1
        siftUp(TimerEntry(deadline: deadline, ticket: ticket, slot: slot), from: waitingCount - 1)
        assertInvariants()
        return TimerID(index: UInt32(truncatingIfNeeded: slot), generation: ticket)
    }

    /// Removes a timer and returns what it carried, or nil when it has been taken or cancelled before.
    package mutating func cancel(_ id: TimerID) -> Payload? {
        guard let slot = slot(of: id) else { return nil }
        let place = slots[slot].place
        let payload = vacateSlot(slot)
        if place.isCollected {
            withdrawCollected()
        } else {
            removeEntry(at: place.position)
        }
        trimIfSparse()
        assertInvariants()
        return payload
    }

    /// Gives a timer another deadline, under the same id. A collected timer goes back to waiting and does not fire with its batch.
    /// False when it has been taken or cancelled before.
    package mutating func rearm(_ id: TimerID, _ deadline: MonotonicInstant) -> Bool {
        guard let slot = slot(of: id) else { return false }
        let entry = TimerEntry(deadline: deadline, ticket: drawTicket(), slot: slot)
        // Drawing a ticket may have moved the entry, so its place is read only now.
        let place = slots[slot].place
        if place.isCollected {
            waitingCount += 1
            siftUp(entry, from: waitingCount - 1)
            withdrawCollected()
        } else {
            sift(entry, from: place.position)
        }
        assertInvariants()
        return true
    }
}
