internal import LoopCore

/// What the port knows of one association. The record stays at its address for the port's life and serves one association after another;
/// ``word`` says which one it is now.
struct BoundHandleRecord {
    /// The key of the association in one word; ``free`` while there is none.
    var word = BoundHandleRecord.free
    var handle = NativeHandle.invalid
    var object = KernelObject.nothing
    /// The socket that the driver knows, once it has been asked for: another one where a provider is layered over it.
    var baseSocket: Int?

    /// Who waits for readiness: polls, and the attempts of either direction in their order.
    var waiters = ParkingLot()
    var reads = ParkingLot()
    var writes = ParkingLot()
    /// The one question that is with the driver.
    var request: Reference<ReadinessRequest>?
    /// What the driver has answered, until the agenda comes to it.
    var found = ReadinessAnswer.none

    /// On the agenda, and who is next there.
    var isOnAgenda = false
    var nextOnAgenda: Reference<BoundHandleRecord>?

    /// No key's word: a slot this high does not exist.
    static let free = UInt64.max
}

typealias BoundHandle = Reference<BoundHandleRecord>

/// The associations by their slot. Records are made when a slot is first used and never move; only the directory grows.
@safe struct BoundHandleTable {
    private var directory: UnsafeMutablePointer<BoundHandle?>
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

    /// The record of a living association.
    // SAFETY: the slot is checked against the directory.
    @inline(__always)
    func find(_ key: HandleKey) -> BoundHandle? {
        guard Int(key.slot) < capacity, let handle = unsafe directory[Int(key.slot)] else { return nil }
        return handle.record.word == key.word ? handle : nil
    }

    /// The record for a new association, whoever had the slot before.
    // SAFETY: the directory has been grown to hold the slot.
    mutating func place(for slot: UInt32) -> BoundHandle {
        grow(toHold: Int(slot))
        if let handle = unsafe directory[Int(slot)] { return handle }
        let handle = BoundHandle(allocating: BoundHandleRecord())
        unsafe directory[Int(slot)] = handle
        return handle
    }

    // SAFETY: all `capacity` places are initialised.
    func forEachRecord(_ body: (BoundHandle) -> Void) {
        for slot in 0..<capacity {
            if let handle = unsafe directory[slot] { body(handle) }
        }
    }

    // SAFETY: the old places are copied before their memory is freed; they are trivial.
    private mutating func grow(toHold slot: Int) {
        guard slot >= capacity else { return }
        var larger = capacity
        while larger <= slot { larger *= 2 }
        let places = UnsafeMutablePointer<BoundHandle?>.allocate(capacity: larger)
        unsafe places.initialize(repeating: nil, count: larger)
        unsafe places.update(from: directory, count: capacity)
        unsafe directory.deallocate()
        unsafe directory = places
        capacity = larger
    }
}
