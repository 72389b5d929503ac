// The numbered invariants of the timer heap, true between any two of its calls.
//
//    T1  Every slot below `slotCount` is waiting, collected or free; `waitingCount` and `collectedCount` are the counts of a walk.
//    T2  No entry of the heap comes before its parent.
//    T3  A slot whose generation is not zero is live: it has a payload, and its place leads to the entry that names it.
//    T4  A free slot has generation zero and no payload, and is on the stack of free slots once if it is below `usableSlots`, and not at
//        all otherwise.
//    T5  The batch is in firing order. An entry to which its slot's place does not lead back was cancelled or re-armed, and counts no
//        more; the others are `collectedCount`.
//    T6  The batch begins with an entry that counts, or is empty.
//    T7  Tickets in the heap are unique and below `nextTicket`.
//    T8  No column is shorter than what it holds.

extension TimerHeap {
    /// Looks at every invariant and throws the first that is broken. Walks everything.
    package func checkInvariants() throws(InvariantFailure) {
        try checkCapacities()
        try checkHeap()
        try checkSlots()
        try checkFreeSlots()
        try checkBatch()
        try checkTickets()
    }

    /// What every mutation ends with. The walk is for debug builds, and there for heaps so small that every mutation can afford one.
    func assertInvariants() {
        assert(slotCount > Self.slotsMin || invariantsHold())
    }

    private func invariantsHold() -> Bool {
        do {
            try checkInvariants()
            return true
        } catch {
            trap("TimerHeap: invariant \(error.number) is broken at \(error.place).")
        }
    }

    private func check(_ holds: Bool, _ number: String, _ place: Int) throws(InvariantFailure) {
        if !holds { throw InvariantFailure(number: number, place: place) }
    }

    private func checkCapacities() throws(InvariantFailure) {
        try check(waitingCount <= entries.capacity, "T8", waitingCount)
        try check(slotCount <= slots.capacity && usableSlots <= slots.capacity, "T8", slotCount)
        try check(freeCount <= freeSlots.capacity, "T8", freeCount)
        try check(batchEnd <= batch.capacity, "T8", batchEnd)
    }

    private func checkHeap() throws(InvariantFailure) {
        for position in stride(from: 1, to: waitingCount, by: 1) {
            try check(!(entries[position] < entries[(position - 1) / 4]), "T2", position)
        }
    }

    private func checkSlots() throws(InvariantFailure) {
        var waiting = 0
        var collected = 0
        for slot in 0..<slotCount where slots[slot].generation != 0 {
            let place = slots[slot].place
            if place.isCollected {
                collected += 1
                try check(place.position >= batchStart && place.position < batchEnd, "T3", slot)
                try check(batch[place.position].slot == slot, "T3", slot)
            } else {
                waiting += 1
                try check(place.position < waitingCount, "T3", slot)
                try check(entries[place.position].slot == slot, "T3", slot)
            }
        }
        try check(waiting == waitingCount, "T1", waiting)
        try check(collected == collectedCount, "T1", collected)
    }

    private func checkFreeSlots() throws(InvariantFailure) {
        var isListed = [Bool](repeating: false, count: slotCount)
        for index in 0..<freeCount {
            let slot = Int(freeSlots[index])
            try check(slot < slotCount && !isListed[slot], "T4", slot)
            isListed[slot] = true
        }
        for slot in 0..<slotCount {
            let isFree = slots[slot].generation == 0
            try check(isListed[slot] == (isFree && slot < usableSlots), "T4", slot)
            try check(isFree == (slots[slot].payload == nil), isFree ? "T4" : "T3", slot)
        }
    }

    private func checkBatch() throws(InvariantFailure) {
        var counting = 0
        for position in batchStart..<batchEnd {
            if isCollected(at: position) { counting += 1 }
            if position > batchStart { try check(batch[position - 1] < batch[position], "T5", position) }
        }
        try check(counting == collectedCount, "T5", counting)
        try check(batchStart == batchEnd || isCollected(at: batchStart), "T6", batchStart)
    }

    private func checkTickets() throws(InvariantFailure) {
        var tickets: [UInt32] = []
        for position in 0..<waitingCount { tickets.append(entries[position].ticket) }
        tickets.sort()
        try check(tickets.last ?? 0 < nextTicket, "T7", Int(nextTicket))
        for index in stride(from: 1, to: tickets.count, by: 1) {
            try check(tickets[index - 1] != tickets[index], "T7", Int(tickets[index]))
        }
    }
}
