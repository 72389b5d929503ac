// Tasks that wait on the loop for something else than an operation: a time, or their turn in a list.
//
//    free ──reserve──► reserved ──suspend──► suspended ──wake──► free
//                          │                                       ▲
//                          └──wake──► woken ────takeWakeup─────────┘
//
//    free      → reserved   [ParkTable.reserve: the place in the list is taken before anything can come between]
//    reserved  → suspended  [ParkTable.suspend]
//    reserved  → woken      [ParkTable.wake: whoever wakes was faster than the task on its way]
//    suspended → free       [ParkTable.wake]
//    woken     → free       [ParkTable.takeWakeup]

/// Names one wait. A stale one is recognised, and does nothing.
@usableFromInline struct ParkID: Hashable, Sendable {
    let index: UInt32
    let generation: UInt64
}

/// A timeout around a wait that bounds it, and what it is told if it does.
struct ParkScope {
    let scope: ScopeRef
    let what: WaitedFor
}

/// How far a wait has come; the diagram is above.
enum ParkStage {
    case free
    case reserved
    case suspended(SuspendedTask)
    case woken(Wakeup)
}

/// One place in the table.
@safe struct Parked {
    var stage = ParkStage.free
    var generation: UInt64 = 0
    var timer: TimerID?
    /// Whether the timer is a timeout's around the wait.
    var hasScope = false
    /// The list it stands in, which whoever waits keeps: a reference would be retained and released three times for each wait (counted).
    @unsafe var list: Unmanaged<WaitList>?
    // There is one for each fiber that waits, so these are words and no optionals: 8 bytes less.
    private var before = UInt32.max
    private var behind = UInt32.max

    /// The one before it in its list.
    var previous: UInt32? {
        @inline(__always) get { before == .max ? nil : before }
        @inline(__always) set { before = newValue ?? .max }
    }

    /// The one behind it in its list; the next free place, while it is free.
    var next: UInt32? {
        @inline(__always) get { behind == .max ? nil : behind }
        @inline(__always) set { behind = newValue ?? .max }
    }
}

/// Every task that is parked on the loop. Places are used again, so that a steady number of waits allocates nothing.
final class ParkTable {
    private let places = Pinned(ParkPlaces())
    /// Tasks that are parked now.
    private(set) var count = 0

    subscript(index: UInt32) -> Parked {
        @inline(__always) _read { yield places.value[index] }
        @inline(__always) _modify { yield &places.value[index] }
    }

    /// Takes a place for a wait that is about to begin, at the end of the list if there is one.
    @inline(__always)
    func reserve(in list: WaitList?) -> ParkID {
        let index = places.value.take()
        count += 1
        self[index].stage = .reserved
        if let list { link(index, into: list) }
        return ParkID(index: index, generation: self[index].generation)
    }

    /// What a task was woken by before it was suspended: then it is not suspended at all. Nil if nobody has woken it.
    func takeWakeup(_ id: ParkID) -> Wakeup? {
        switch self[id.index].stage {
        case .reserved: return nil
        case .woken(let wakeup):
            release(id.index)
            return wakeup
        case .free, .suspended: trap("A place was waited in twice.")
        }
    }

    /// The task is suspended now.
    @inline(__always)
    func suspend(_ id: ParkID, _ task: SuspendedTask) { self[id.index].stage = .suspended(task) }

    /// Whether the wait has not been woken yet.
    @inline(__always)
    func isWaiting(_ id: ParkID) -> Bool {
        guard id.index < places.value.used, self[id.index].generation == id.generation else { return false }
        switch self[id.index].stage {
        case .reserved, .suspended: return true
        case .free, .woken: return false
        }
    }

    /// Ends a wait: out of its list, its timer handed back, its task to be resumed. Nil for a wait that has ended already.
    @inline(__always)
    func wake(_ id: ParkID, _ wakeup: Wakeup) -> (timer: TimerID?, task: SuspendedTask?)? {
        guard isWaiting(id) else { return nil }
        unlink(id.index)
        let timer = self[id.index].timer
        guard case .suspended(let task) = self[id.index].stage else {
            self[id.index].timer = nil
            self[id.index].stage = .woken(wakeup)
            return (timer, nil)
        }
        release(id.index)
        return (timer, task)
    }

    /// A timeout around the wait bounds it.
    func bound(_ id: ParkID, by scope: ParkScope) {
        self[id.index].hasScope = true
        places.value.bound(id.index, by: scope)
    }

    /// The timeout around a wait that goes on, if it is that which bounds it.
    func scope(of id: ParkID) -> ParkScope? {
        guard isWaiting(id), self[id.index].hasScope else { return nil }
        return places.value.scopes[Int(id.index)]
    }

    @inline(__always)
    private func release(_ index: UInt32) {
        self[index].stage = .free
        self[index].timer = nil
        self[index].hasScope = false
        self[index].generation &+= 1
        places.value.give(back: index)
        count -= 1
    }

    /// Every wait that has not been woken.
    func all() -> [ParkID] {
        (0..<places.value.used).map { ParkID(index: $0, generation: self[$0].generation) }.filter(isWaiting)
    }

    /// Who has waited longest in a list.
    func first(of list: WaitList) -> ParkID? { list.first.map { ParkID(index: $0, generation: self[$0].generation) } }
}

/// The places of a park table, and which of them are free: last freed, first used.
private struct ParkPlaces: ~Copyable {
    private var column = RawColumn<Parked>(capacity: 16)
    /// Apart, and none before the first: few waits have one, and a fiber that sleeps is to be small.
    private(set) var scopes = RawColumn<ParkScope?>(capacity: 0)
    private var firstFree: UInt32?
    private(set) var used: UInt32 = 0

    deinit {
        column.deinitialize(0..<Int(used))
        scopes.deinitialize(0..<scopes.capacity)
    }

    subscript(index: UInt32) -> Parked {
        @inline(__always) _read { yield column[Int(index)] }
        @inline(__always) _modify { yield &column[Int(index)] }
    }

    mutating func take() -> UInt32 {
        guard let free = firstFree else { return append() }
        firstFree = column[Int(free)].next
        column[Int(free)].next = nil
        return free
    }

    @inline(never)
    private mutating func append() -> UInt32 {
        if Int(used) == column.capacity { column.resize(to: column.capacity * 2, keeping: Int(used)) }
        column.initialize(Int(used), to: Parked())
        used += 1
        return used - 1
    }

    mutating func bound(_ index: UInt32, by scope: ParkScope) {
        if Int(index) >= scopes.capacity { makeRoomForScopes() }
        scopes[Int(index)] = scope
    }

    @inline(never)
    private mutating func makeRoomForScopes() {
        let before = scopes.capacity
        scopes.resize(to: column.capacity, keeping: before)
        for index in before..<column.capacity { scopes.initialize(index, to: nil) }
    }

    mutating func give(back index: UInt32) {
        column[Int(index)].next = firstFree
        firstFree = index
    }
}
