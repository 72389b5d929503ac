/// The timers of one loop: an indexed 4-ary min-heap of deadlines, with a batch of due timers in front of it.
///
/// A timer's payload sits in a slot that never moves while the timer lives, and an id names that slot and its tenant. The heap holds
/// sixteen-byte entries that point to slots; each slot knows its entry's place, which is what makes cancelling a true removal.
///
/// Due timers leave in two steps, because what a fired timer runs may cancel its sibling. `collectDue` moves all that are due into the
/// batch, in firing order and in one linear sweep; `takeCollected` then hands them out one by one. Until it is taken, a collected timer
/// is as alive as any other: it can be cancelled, and then does not fire, or re-armed, and then fires later.
///
/// ```text
///            insert              collectDue                takeCollected, cancel
///   (free) ─────────► waiting ───────────────► collected ───────────────────────► (free)
///                     │ ▲  │ ▲                     │
///                     │ │  └─┘ rearm               │
///                     │ └──────────── rearm ───────┘
///                     └─ popDue, cancel ─► (free)
/// ```
///
/// Waiting → collected [collectDue], waiting → free [popDue, cancel], collected → free [takeCollected, cancel],
/// collected → waiting [rearm].
///
/// Single owner, one thread, no locks. Nothing is allocated for a timer: storage doubles when the slots run out and is given back in one
/// place, `trim`. No call runs code of the payload's; payloads are only moved in and out, and released in `deinit`.
///
/// The invariants are numbered in TimerHeap+Invariants.swift.
package struct TimerHeap<Payload>: ~Copyable {
    /// Timers at once. The top bit of a slot's place says that the timer is collected.
    package static var timersMax: Int { 1 << 31 }
    /// Timers that one call of `collectDue` moves unless told otherwise. With a million due, a call takes 7 to 9 ms (measured) and a batch
    /// 2.4 MB; a larger number costs less for each timer, and makes everyone else wait longer.
    package static var collectedPerCallMax: Int { 1 << 16 }
    /// Slots before the first growth: 4 kB, enough for a small program.
    static var slotsMin: Int { 64 }
    /// Moves entry 1, and so every group of four children, to the start of a cache line.
    static var entriesLead: Int { RawColumn<TimerEntry>.cacheLineBytes / MemoryLayout<TimerEntry>.stride - 1 }

    /// The heap: `waitingCount` entries, the children of `i` at `4 * i + 1 ... 4 * i + 4`.
    var entries: RawColumn<TimerEntry>
    var waitingCount = 0

    /// Payloads and generations; the first `slotCount` are initialised, the rest has never been used.
    var slots: RawColumn<TimerSlot<Payload>>
    var slotCount = 0
    /// A stack of the free ones among them. Last in, first out: the slot that was just left is still in the cache.
    var freeSlots: RawColumn<UInt32>
    var freeCount = 0
    /// Slots from here on are held back from new timers, because `trim` waits for them to be free; usually the capacity.
    var usableSlots: Int

    /// What `collectDue` found, in firing order; `batchStart ..< batchEnd` has not been taken.
    var batch: RawColumn<TimerEntry>
    var batchStart = 0
    var batchEnd = 0
    var collectedCount = 0
    /// Scratch memory of a collection: the other half of the radix sort, and the heap positions that it left empty.
    var spare: RawColumn<TimerEntry>
    var holes: RawColumn<UInt32>

    /// Numbers every arming: breaks ties between equal deadlines, and is the generation of the id. Zero is for free slots.
    var nextTicket: UInt32
    /// Slots that are never given back. 4,096: 200 kB are less than what growing again would cost.
    let slotsKept: Int
    /// At this count or below, `trim` looks for memory to give back, unless it has looked within the last `trimDelay` removals.
    var trimCount = -1
    var trimDelay = 0

    /// Both numbers are for tests: a late first ticket shows tickets running out, and a small heap is trimmed if little is kept.
    package init(firstTicket: UInt32 = 1, slotsKept: Int = 1 << 12) {
        nextTicket = firstTicket
        self.slotsKept = max(Self.slotsMin, slotsKept)
        usableSlots = Self.slotsMin
        entries = RawColumn(capacity: Self.slotsMin, lead: Self.entriesLead)
        slots = RawColumn(capacity: Self.slotsMin)
        freeSlots = RawColumn(capacity: Self.slotsMin)
        batch = RawColumn(capacity: Self.slotsMin)
        spare = RawColumn(capacity: 0)
        holes = RawColumn(capacity: Self.slotsMin)
    }

    deinit {
        slots.deinitialize(0..<slotCount)
    }
}
