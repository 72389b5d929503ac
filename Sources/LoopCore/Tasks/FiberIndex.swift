/// Which fiber a task is, by the task's address: asked for each wait that suspends.
///
/// Open addressing with linear probing over a power of two, as in ``AddressTable``, with a slot for each address.
@safe struct FiberIndex: ~Copyable {
    private struct Entry {
        /// Zero for a free place.
        var task: UInt = 0
        var slot: UInt32 = 0
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

    /// The slot of a task; nil for one that is none of the index's.
    // SAFETY: the table is never full (it grows at four fifths), so the probe ends.
    subscript(task: UInt) -> UInt32? {
        @inline(__always) get {
            var place = home(of: task)
            while true {
                let entry = unsafe entries[place]
                if entry.task == task { return task == 0 ? nil : entry.slot }
                if entry.task == 0 { return nil }
                place = (place &+ 1) & mask
            }
        }
    }

    // SAFETY: as above.
    mutating func insert(_ task: UInt, _ slot: UInt32) {
        // Later than usual: a fiber finds itself by three looks where it is fullest, and the half would cost each of 100,000 21 bytes more.
        if (count + 1) * 5 > mask * 4 { grow() }
        var place = home(of: task)
        while unsafe entries[place].task != 0 { place = (place &+ 1) & mask }
        unsafe entries[place] = Entry(task: task, slot: slot)
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
            if entry.task != 0 { insert(entry.task, entry.slot) }
        }
        unsafe old.deallocate()
    }

    /// Tasks are allocated 16 bytes apart at least. The multiplier is 2^64 divided by the golden ratio.
    @inline(__always)
    private func home(of task: UInt) -> Int {
        Int(truncatingIfNeeded: ((UInt64(task) >> 4) &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    }
}
