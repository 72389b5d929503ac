// The life of an association.
//
//    vacant ──associate──► associated ──beginRetire──► retiring ──finishRetire──► retired ──last record freed──► vacant
//
//    vacant     → associated  [HandleTable.open]
//    associated → retiring    [Ledger.beginRetire: no new operations, every submitted one is cancelled]
//    retiring   → retired     [Ledger.finishRetire: nothing is submitted any more, or the bound ran out]
//    retired    → vacant      [HandleTable.vacate: no record names it, so its generation may be forgotten]

/// Where an association is in its life.
enum HandlePhase {
    case vacant(next: UInt32)
    case associated
    case retiring(RetireWaiter?, grace: TimerID?)
    case retired
}

/// Told once that a handle is the caller's alone again.
typealias RetireWaiter = (RetireReport) -> Void

/// What ``Operations/retire(_:_:)`` found.
public struct RetireReport: Hashable, Sendable {
    /// Operations whose driver gave no packet within the grace. Their memory stays with the loop; the handle may be closed.
    public var stuck: Int

    public init(stuck: Int) { self.stuck = stuck }
}

/// What a loop keeps for each association.
struct HandleEntry {
    var native = NativeHandle.invalid
    var generation: UInt32 = 0
    var phase: HandlePhase
    /// Records that are not free, orphans included: what the per-handle limits count.
    var operations = 0
    var submitted = 0
    var orphans = 0
    var bytes = 0
    /// Head of the list of records, linked through `Record.nextOnHandle`.
    var first = CellIndex.none
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
    subscript(slot: UInt32) -> HandleEntry {
        // SAFETY: the slot is checked; the address is used for one access and never kept.
        @inline(__always) unsafeAddress {
            guard slot < UInt32(truncatingIfNeeded: slotCount) else { trap("Slot \(slot) has never been associated.") }
            return unsafe UnsafePointer(entries + Int(slot))
        }
        // SAFETY: as above.
        @inline(__always) unsafeMutableAddress {
            guard slot < UInt32(truncatingIfNeeded: slotCount) else { trap("Slot \(slot) has never been associated.") }
            return unsafe entries + Int(slot)
        }
    }

    /// Whether the key names an association that still takes operations.
    @inline(__always)
    func isAssociated(_ key: HandleKey) -> Bool {
        guard key.slot < UInt32(truncatingIfNeeded: slotCount), self[key.slot].generation == key.generation else { return false }
        if case .associated = self[key.slot].phase { return true }
        return false
    }

    /// Whether the slot still belongs to the key's generation, in whatever phase.
    func isCurrent(_ key: HandleKey) -> Bool {
        key.slot < UInt32(truncatingIfNeeded: slotCount) && self[key.slot].generation == key.generation
    }

    /// Opens a slot for a handle that the port is about to accept.
    mutating func open(_ native: NativeHandle) -> HandleKey {
        lastGeneration = lastGeneration == .max ? 1 : lastGeneration + 1
        let entry = HandleEntry(native: native, generation: lastGeneration, phase: .associated)
        openCount += 1
        guard firstVacant != .max else { return HandleKey(slot: append(entry), generation: lastGeneration) }
        let slot = firstVacant
        guard case .vacant(let next) = self[slot].phase else { trap("The list of vacant slots names one in use.") }
        firstVacant = next
        self[slot] = entry
        return HandleKey(slot: slot, generation: lastGeneration)
    }

    /// Forgets an association that no record names any more.
    mutating func vacate(_ slot: UInt32) {
        self[slot] = HandleEntry(phase: .vacant(next: firstVacant))
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
