// The life of an association.
//
//    vacant ──associate──► associated ──beginRetire──► retiring ──finishRetire──► retired ──last record freed──► vacant
//
//    vacant     → associated  [HandleTable.open]
//    associated → retiring    [Ledger.beginRetire: no new operations, every submitted one is cancelled]
//    retiring   → retired     [Ledger.finishRetire: nothing is submitted any more, or the bound ran out]
//    retired    → vacant      [HandleTable.vacate: no record names it, so its generation may be forgotten]

/// Where an association is in its life.
enum HandlePhase: UInt8 {
    case vacant
    case associated
    case retiring
    case retired
}

/// Told once that a handle is the caller's alone again.
typealias RetireWaiter = (RetireReport) -> Void

/// Who waits for a handle to be retired, and the timer that bounds it.
struct RetireWait {
    let waiter: RetireWaiter?
    var grace: TimerID?
}

/// What ``Operations/retire(_:_:)`` found.
public struct RetireReport: Hashable, Sendable {
    /// Operations whose driver gave no packet within the grace. Their memory stays with the loop; the handle may be closed.
    public var stuck: Int

    /// A report, for tests.
    public init(stuck: Int) { self.stuck = stuck }
}

/// What a loop keeps for each association.
struct HandleEntry {
    var native = NativeHandle.invalid
    var generation: UInt32 = 0
    var phase: HandlePhase
    var retireWait: RetireWait?
    /// The next vacant slot, while this one is vacant.
    var nextVacant = UInt32.max
    /// Records that are not free, orphans included: what the per-handle limits count.
    var operations = 0
    var submitted = 0
    var orphans = 0
    var bytes = 0
    /// Head of the list of records, linked through `Record.nextOnHandle`.
    var first = CellIndex.none
}

/// An association in place. Good until the table is next opened: for one call, and not across a call of anybody else's code.
@safe struct HandleRef {
    private let pointer: UnsafeMutablePointer<HandleEntry>

    // SAFETY: only the table makes one, for a place it has initialised.
    init(_ pointer: UnsafeMutablePointer<HandleEntry>) { unsafe self.pointer = pointer }

    var entry: HandleEntry {
        // SAFETY: see the type.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer) }
        // SAFETY: see the type.
        @inline(__always) nonmutating unsafeMutableAddress { unsafe pointer }
    }
}

/// The associations of a loop, by slot. Slots are reused; generations are not.
@safe struct HandleTable: ~Copyable {
    private var entries: UnsafeMutablePointer<HandleEntry>
    private(set) var slotCount = 0
    private(set) var openCount = 0
    private var capacity = 16
    private var firstVacant = UInt32.max
    /// One counter for all slots: a generation never repeats within 2^32 associations of a loop, whichever slot it is in.
    private var lastGeneration: UInt32 = 0

    // SAFETY: places below `slotCount` are initialised; every subscript is checked against it.
    init() { unsafe entries = .allocate(capacity: 16) }

    // SAFETY: as above.
    deinit {
        unsafe entries.deinitialize(count: slotCount)
        unsafe entries.deallocate()
    }

    /// The entry in a slot, in place.
    // SAFETY: the slot is checked against the initialised places.
    @inline(__always)
    subscript(slot: UInt32) -> HandleRef {
        guard slot < UInt32(truncatingIfNeeded: slotCount) else { HandleTable.trapUnknown(slot) }
        return unsafe HandleRef(entries + Int(slot))
    }

    @inline(never)
    private static func trapUnknown(_ slot: UInt32) -> Never { trap("Slot \(slot) of the handle table has never been opened.") }

    /// The association a key names, if it still takes operations.
    @inline(__always)
    func associated(_ key: HandleKey) -> HandleRef? {
        guard key.slot < UInt32(truncatingIfNeeded: slotCount) else { return nil }
        let handle = self[key.slot]
        guard handle.entry.generation == key.generation, handle.entry.phase == .associated else { return nil }
        return handle
    }

    /// Whether the slot still belongs to the key's generation, in whatever phase.
    func isCurrent(_ key: HandleKey) -> Bool {
        key.slot < UInt32(truncatingIfNeeded: slotCount) && self[key.slot].entry.generation == key.generation
    }

    /// Opens a slot for a handle that the port is about to accept.
    mutating func open(_ native: NativeHandle) -> HandleKey {
        lastGeneration = lastGeneration == .max ? 1 : lastGeneration + 1
        let entry = HandleEntry(native: native, generation: lastGeneration, phase: .associated)
        openCount += 1
        guard firstVacant != .max else { return HandleKey(slot: append(entry), generation: lastGeneration) }
        let slot = firstVacant
        guard self[slot].entry.phase == .vacant else { trap("The list of vacant slots names one in use.") }
        firstVacant = self[slot].entry.nextVacant
        self[slot].entry = entry
        return HandleKey(slot: slot, generation: lastGeneration)
    }

    /// Forgets an association that no record names any more.
    mutating func vacate(_ slot: UInt32) {
        self[slot].entry = HandleEntry(phase: .vacant, nextVacant: firstVacant)
        firstVacant = slot
        openCount -= 1
    }

    // SAFETY: the new place is initialised before `slotCount` covers it; old places are moved.
    private mutating func append(_ entry: HandleEntry) -> UInt32 {
        if slotCount == capacity {
            let larger = UnsafeMutablePointer<HandleEntry>.allocate(capacity: capacity * 2)
            unsafe larger.moveInitialize(from: entries, count: slotCount)
            unsafe entries.deallocate()
            unsafe entries = larger
            capacity *= 2
        }
        unsafe (entries + slotCount).initialize(to: entry)
        slotCount += 1
        return UInt32(slotCount - 1)
    }
}
