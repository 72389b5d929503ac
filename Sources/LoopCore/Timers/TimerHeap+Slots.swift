extension TimerHeap {
    /// The slot that an id names, or nil when the id's timer is gone. The one place where stale ids are recognised.
    ///
    /// A generation comes round again after 2³² armings; an id kept that long is mistaken only if its slot's tenant has exactly that
    /// ticket at that moment.
    @inline(__always)
    func slot(of id: TimerID) -> Int? {
        let slot = Int(id.index)
        guard slot < slotCount, slots[slot].generation == id.generation else { return nil }
        return slot
    }

    @inline(__always)
    func id(ofSlot slot: Int) -> TimerID {
        TimerID(index: UInt32(truncatingIfNeeded: slot), generation: slots[slot].generation)
    }

    /// Moves a payload into a free slot. Its place is for the caller to set.
    @inline(__always)
    mutating func occupySlot(generation: UInt32, payload: consuming Payload) -> Int {
        while freeCount == 0, slotCount >= usableSlots { makeRoom() }
        let slot: Int
        if freeCount > 0 {
            freeCount -= 1
            slot = Int(freeSlots[freeCount])
        } else {
            slot = slotCount
            slotCount += 1
        }
        // Initialising over a free slot is right: its payload is nil, which holds nothing.
        slots.initialize(slot, to: TimerSlot(generation: generation, place: .waiting(at: 0), payload: payload))
        return slot
    }

    /// Moves the payload out of a live slot, from which moment its id is stale.
    @inline(__always)
    mutating func vacateSlot(_ slot: Int) -> Payload {
        slots[slot].generation = 0
        // A slot that is held back is found again by the walk that lists free slots.
        if slot < usableSlots {
            freeSlots[freeCount] = UInt32(truncatingIfNeeded: slot)
            freeCount += 1
        }
        guard let payload = slots[slot].payload.take() else {
            trap("TimerHeap: expected a payload in slot \(slot), found none.")
        }
        return payload
    }
}
