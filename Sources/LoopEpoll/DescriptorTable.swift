internal import LoopCore

/// The descriptors by their slot. Records are made when a slot is first used and never move; only the directory grows.
@safe struct DescriptorTable {
    private var directory: UnsafeMutablePointer<Descriptor?>
    private var capacity: Int

    // SAFETY: `capacity` places are initialised at all times.
    init() {
        capacity = 16
        unsafe directory = .allocate(capacity: capacity)
        unsafe directory.initialize(repeating: nil, count: capacity)
    }

    /// Frees every record; no operation refers to one any more.
    // SAFETY: as above; nobody uses the table afterwards.
    func deallocate() {
        forEachRecord { $0.deallocate() }
        unsafe directory.deallocate()
    }

    /// Has the processor fetch what it can of a slot's record, whoever has the slot.
    // SAFETY: the slot is checked against the directory.
    @inline(__always)
    func prefetch(_ slot: UInt32) {
        if Int(slot) < capacity { unsafe directory[Int(slot)]?.prefetch() }
    }

    /// The descriptor of a living association.
    // SAFETY: the slot is checked against the directory.
    @inline(__always)
    func find(_ key: HandleKey) -> Descriptor? {
        guard Int(key.slot) < capacity, let descriptor = unsafe directory[Int(key.slot)] else { return nil }
        return descriptor.record.word == key.word ? descriptor : nil
    }

    /// The record for a new association, whoever had the slot before.
    // SAFETY: the directory has been grown to hold the slot.
    mutating func place(for slot: UInt32) -> Descriptor {
        grow(toHold: Int(slot))
        if let descriptor = unsafe directory[Int(slot)] { return descriptor }
        let descriptor = Descriptor(allocating: DescriptorRecord(), alignment: 64)
        unsafe directory[Int(slot)] = descriptor
        return descriptor
    }

    // SAFETY: all `capacity` places are initialised.
    func forEachRecord(_ body: (Descriptor) -> Void) {
        for slot in 0..<capacity {
            if let descriptor = unsafe directory[slot] { body(descriptor) }
        }
    }

    // SAFETY: the old places are copied before their memory is freed; they are trivial.
    private mutating func grow(toHold slot: Int) {
        guard slot >= capacity else { return }
        var larger = capacity
        while larger <= slot { larger *= 2 }
        let places = UnsafeMutablePointer<Descriptor?>.allocate(capacity: larger)
        unsafe places.initialize(repeating: nil, count: larger)
        unsafe places.update(from: directory, count: capacity)
        unsafe directory.deallocate()
        unsafe directory = places
        capacity = larger
    }
}
