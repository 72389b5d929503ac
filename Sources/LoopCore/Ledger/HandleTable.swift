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
    /// Its own slot, with the generation of the association; zero while vacant.
    var key: HandleKey
    var phase: HandlePhase
    /// The next vacant slot, while this one is vacant.
    var nextVacant = UInt32.max
    /// Records that are not free, orphans included: what the per-handle limits count.
    var operations = 0
    var submitted = 0
    var orphans = 0
    var bytes = 0
    /// Head of the list of records, linked through `Record.next`.
    var first: Cell?
    /// Head of the list of kinds, linked through `KindEntry.next`.
    var firstKind = KindTable.none
    var kinds = 0
    var retireWait: RetireWait?
}

/// An association in place. Good for as long as it has a record: the table moves no entry, and vacates none that has.
@safe struct HandleRef: Equatable {
    private let pointer: UnsafeMutablePointer<HandleEntry>

    // SAFETY: only the table makes one, for a place it has initialised and that lives as long as the ledger.
    init(_ pointer: UnsafeMutablePointer<HandleEntry>) { unsafe self.pointer = pointer }

    // SAFETY: the addresses are compared and not followed.
    static func == (left: HandleRef, right: HandleRef) -> Bool { unsafe left.pointer == right.pointer }

    var entry: HandleEntry {
        // SAFETY: see the type.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer) }
        // SAFETY: see the type.
        @inline(__always) nonmutating unsafeMutableAddress { unsafe pointer }
    }
}

/// The associations of a loop, by slot. Slots are reused; generations are not. Entries never move.
struct HandleTable: ~Copyable {
    private var entries = BlockTable<HandleEntry>()
    private(set) var openCount = 0
    private var firstVacant = UInt32.max
    /// One counter for all slots: a generation never repeats within 2^32 associations of a loop, whichever slot it is in.
    private var lastGeneration: UInt32 = 0

    var slotCount: Int { entries.count }

    /// The entry in a slot, in place.
    // SAFETY: the table keeps the entry for as long as the ledger lives.
    @inline(__always)
    subscript(slot: UInt32) -> HandleRef { unsafe HandleRef(entries[slot]) }

    /// The association a key names, if it still takes operations.
    @inline(__always)
    func associated(_ key: HandleKey) -> HandleRef? {
        guard entries.contains(key.slot) else { return nil }
        let handle = self[key.slot]
        guard handle.entry.key.generation == key.generation, handle.entry.phase == .associated else { return nil }
        return handle
    }

    /// Whether the slot still belongs to the key's generation, in whatever phase.
    func isCurrent(_ key: HandleKey) -> Bool {
        entries.contains(key.slot) && self[key.slot].entry.key.generation == key.generation
    }

    /// Opens a slot for a handle that the port is about to accept.
    mutating func open(_ native: NativeHandle) -> HandleKey {
        lastGeneration = lastGeneration == .max ? 1 : lastGeneration + 1
        let slot = vacantSlot()
        let key = HandleKey(slot: slot, generation: lastGeneration)
        self[slot].entry = HandleEntry(native: native, key: key, phase: .associated)
        openCount += 1
        return key
    }

    /// Forgets an association that no record names any more.
    mutating func vacate(_ slot: UInt32) {
        self[slot].entry = HandleEntry(key: HandleKey(slot: slot, generation: 0), phase: .vacant, nextVacant: firstVacant)
        firstVacant = slot
        openCount -= 1
    }

    private mutating func vacantSlot() -> UInt32 {
        guard firstVacant != .max else { return append() }
        let slot = firstVacant
        guard self[slot].entry.phase == .vacant else { trap("The list of vacant slots names one in use.") }
        firstVacant = self[slot].entry.nextVacant
        return slot
    }

    private mutating func append() -> UInt32 {
        let key = HandleKey(slot: UInt32(entries.count), generation: 0)
        entries.append(HandleEntry(key: key, phase: .vacant))
        return key.slot
    }
}
