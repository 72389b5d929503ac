extension TimerHeap {
    /// Timers that fit before the storage grows.
    package var capacity: Int { slots.capacity }

    /// What `occupySlot` calls when it has no slot to give: either some are only held back, or all are taken.
    @inline(never)
    mutating func makeRoom() {
        if usableSlots < slots.capacity {
            usableSlots = slots.capacity
            listFreeSlots()
        } else {
            if slots.capacity >= Self.timersMax { trap("TimerHeap: expected at most \(Self.timersMax) timers at once, found one more.") }
            resize(to: slots.capacity * 2)
        }
    }

    /// Gives memory back while seven eighths of a large capacity are free: the only place that does.
    ///
    /// Slots cannot move, so the capacity goes down only as far as the highest live slot allows. Where that is not enough, the slots that
    /// should go are held back from new timers, and the next attempt comes after as many removals as an attempt has slots to look at, or
    /// with the last timer, when it cannot fail.
    @inline(never)
    mutating func trim() {
        trimDelay -= 1
        // What is left of a batch may name slots that would go.
        guard trimDelay <= 0 || count == 0, collectedCount == 0 else { return }
        dropBatchMemory()
        var used = slotCount
        while used > 0, slots[used - 1].generation == 0 { used -= 1 }
        var wanted = slotsKept
        while wanted < 2 * count { wanted *= 2 }
        var possible = wanted
        while possible < used { possible *= 2 }
        if possible < slots.capacity {
            slots.deinitialize(used..<slotCount)
            slotCount = used
            freeCount = 0
            resize(to: possible)
        }
        usableSlots = wanted
        listFreeSlots()
        trimDelay = possible > wanted ? slots.capacity : 0
    }

    @inline(__always)
    mutating func trimIfSparse() {
        if count <= trimCount { trim() }
    }

    private mutating func resize(to capacity: Int) {
        entries.resize(to: capacity, keeping: waitingCount)
        slots.resize(to: capacity, keeping: slotCount)
        freeSlots.resize(to: capacity, keeping: freeCount)
        usableSlots = capacity
        trimCount = capacity > slotsKept ? capacity / 8 : -1
        trimDelay = 0
    }

    /// The lowest end up on top of the stack.
    private mutating func listFreeSlots() {
        freeCount = 0
        for slot in stride(from: min(slotCount, usableSlots) - 1, through: 0, by: -1) where slots[slot].generation == 0 {
            freeSlots[freeCount] = UInt32(slot)
            freeCount += 1
        }
    }

    private mutating func dropBatchMemory() {
        batch = RawColumn(capacity: Self.slotsMin)
        holes = RawColumn(capacity: Self.slotsMin)
        spare = RawColumn(capacity: 0)
        batchStart = 0
        batchEnd = 0
    }
}
