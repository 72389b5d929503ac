/// What each fiber waits for, by its task's address: written for each wait that suspends, and read when a fiber is cancelled.
///
/// What a wait writes stands beside the address that it is found by, and so is in the same cache line most often.
///
/// Open addressing with linear probing over a power of two, as in ``AddressTable``, with a slot for each address.
@safe struct FiberIndex: ~Copyable {
    private struct Entry {
        /// Zero for a free place.
        var task: UInt = 0
        var wait = FiberWait.none
    }

    private var entries: UnsafeMutablePointer<Entry>
    private var mask: Int
    private var count = 0

    // SAFETY: `entries` always has `mask + 1` initialised entries; every index below is taken modulo that.
    init() {
        mask = 63
        unsafe entries = .allocate(capacity: 64)
        unsafe entries.initialize(repeating: Entry(), count: 64)
    }

    // SAFETY: allocated here and in `grow`, trivial.
    deinit { unsafe entries.deallocate() }

    /// What a task waits for, or last waited for; nil for one that is none of the index's.
    // SAFETY: `find` answers with a place of the table.
    func wait(of task: UInt) -> FiberWait? { find(task).map { unsafe entries[$0].wait } }

    /// Notes what a task is about to wait for. False for one that is none of the index's.
    // SAFETY: as above.
    @inline(__always)
    mutating func note(_ task: UInt, _ wait: FiberWait) -> Bool {
        guard let place = find(task) else { return false }
        unsafe entries[place].wait = wait
        return true
    }

    // SAFETY: the table is never full (it grows at four fifths), so the probe ends.
    @inline(__always)
    private func find(_ task: UInt) -> Int? {
        var place = home(of: task)
        while unsafe entries[place].task != task {
            if unsafe entries[place].task == 0 { return nil }
            place = (place &+ 1) & mask
        }
        return task == 0 ? nil : place
    }

    // SAFETY: as above.
    mutating func insert(_ task: UInt, _ wait: FiberWait = .none) {
        // Later than usual: a fiber finds itself by three looks where it is fullest, and the half would cost each of 100,000 31 bytes more.
        if (count + 1) * 5 > mask * 4 { grow() }
        var place = home(of: task)
        while unsafe entries[place].task != 0 { place = (place &+ 1) & mask }
        unsafe entries[place] = Entry(task: task, wait: wait)
        count += 1
    }

    /// Removes by moving later entries of the run back, so that no tombstone lengthens a probe. Nothing for a task that is not here.
    // SAFETY: as above.
    mutating func remove(_ task: UInt) {
        var hole = home(of: task)
        while unsafe entries[hole].task != task {
            if unsafe entries[hole].task == 0 { return }
            hole = (hole &+ 1) & mask
        }
        var next = (hole &+ 1) & mask
        while unsafe entries[next].task != 0 {
            // The entry may move into the hole unless its home lies behind it, seen around the ring.
            if (next &- home(of: unsafe entries[next].task)) & mask >= (next &- hole) & mask {
                unsafe entries[hole] = unsafe entries[next]
                hole = next
            }
            next = (next &+ 1) & mask
        }
        unsafe entries[hole] = Entry()
        count -= 1
    }

    // SAFETY: the old entries are trivial and freed after their copy.
    @inline(never)
    private mutating func grow() {
        let (old, oldCount) = unsafe (entries, mask + 1)
        mask = oldCount * 2 - 1
        unsafe entries = .allocate(capacity: oldCount * 2)
        unsafe entries.initialize(repeating: Entry(), count: oldCount * 2)
        count = 0
        for place in 0..<oldCount {
            let entry = unsafe old[place]
            if entry.task != 0 { insert(entry.task, entry.wait) }
        }
        unsafe old.deallocate()
    }

    /// Tasks are allocated 16 bytes apart at least. The multiplier is 2^64 divided by the golden ratio.
    @inline(__always)
    private func home(of task: UInt) -> Int {
        Int(truncatingIfNeeded: ((UInt64(task) >> 4) &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    }
}
