/// At which addresses cells live: the check that a packet's pointer passes before anything behind it is looked at (clause C6).
///
/// Open addressing with linear probing over a power of two; it changes only when a cell is made or given back to the system, so the
/// steady state reads it and never writes.
///
/// A port keeps one too. In an embedded image another module can destroy a value of this type only if it sees how: hence what is inlinable.
@usableFromInline @safe package struct AddressTable: ~Copyable {
    /// Zero for a free place.
    @usableFromInline package var entries: UnsafeMutablePointer<UInt>
    private var mask: Int
    private var count = 0

    // SAFETY: `entries` always has `mask + 1` initialised entries; every index below is taken modulo that.
    package init() {
        mask = 63
        unsafe entries = .allocate(capacity: 64)
        unsafe entries.initialize(repeating: 0, count: 64)
    }

    // SAFETY: allocated here and in `grow`, trivial.
    @inlinable deinit { unsafe entries.deallocate() }

    // SAFETY: the table is never full (it grows at half), so the probe ends.
    @inline(__always)
    package func contains(_ address: UInt) -> Bool {
        var place = slot(of: address)
        while true {
            let entry = unsafe entries[place]
            if entry == address { return address != 0 }
            if entry == 0 { return false }
            place = (place &+ 1) & mask
        }
    }

    // SAFETY: as above.
    package mutating func insert(_ address: UInt) {
        if (count + 1) * 2 > mask { grow() }
        var place = slot(of: address)
        while unsafe entries[place] != 0 { place = (place + 1) & mask }
        unsafe entries[place] = address
        count += 1
    }

    /// Removes by moving later entries of the run back, so that no tombstone lengthens a probe.
    // SAFETY: as above.
    package mutating func remove(_ address: UInt) {
        var hole = slot(of: address)
        while unsafe entries[hole] != address { hole = (hole + 1) & mask }
        var next = (hole + 1) & mask
        while unsafe entries[next] != 0 {
            let home = slot(of: unsafe entries[next])
            // The entry may move into the hole unless its home lies behind it, seen around the ring.
            if (next - home) & mask >= (next - hole) & mask {
                unsafe entries[hole] = unsafe entries[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        unsafe entries[hole] = 0
        count -= 1
    }

    // SAFETY: the old entries are trivial and freed after their copy.
    private mutating func grow() {
        let (old, oldCount) = unsafe (entries, mask + 1)
        mask = oldCount * 2 - 1
        unsafe entries = .allocate(capacity: oldCount * 2)
        unsafe entries.initialize(repeating: 0, count: oldCount * 2)
        count = 0
        for place in 0..<oldCount {
            let address = unsafe old[place]
            if address != 0 { insert(address) }
        }
        unsafe old.deallocate()
    }

    /// Cells are 64-byte aligned, so the low six bits say nothing. The multiplier is 2^64 divided by the golden ratio.
    @inline(__always)
    private func slot(of address: UInt) -> Int {
        Int(truncatingIfNeeded: ((UInt64(address) >> 6) &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    }
}
