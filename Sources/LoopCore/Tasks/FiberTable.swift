internal import _Concurrency

/// The fibers of a loop to their last step: from the spawn, where the loop's thread spawns them, and else, children of groups among them,
/// from their first step. It belongs to the loop's thread.
final class FiberTable {
    private let slots = Pinned(FiberSlots())
    private let waits = Pinned(FiberIndex())
    /// What fibers waited for that were asked to end: looked at in a phase of the turn, as a cancel of an operation is.
    private let pinnedEnded = Pinned(Ring<FiberWait>())
    /// Fibers that ended by throwing and had not been cancelled.
    var failures: UInt64 = 0
    /// Everybody has been asked to end, and so is whoever comes now.
    private var isEnding = false

    /// Fibers that have not ended, those on their way here excepted (``FiberCount``).
    var count: Int {
        @inline(__always) get { slots.value.count }
    }

    var ended: Ring<FiberWait> {
        // SAFETY: see Pinned.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pinnedEnded.address) }
        // SAFETY: see Pinned.
        @inline(__always) unsafeMutableAddress { unsafe pinnedEnded.address }
    }

    /// Makes a place for a fiber whose task is about to be made: ``enter(_:in:_:)`` comes next.
    @inline(__always)
    func reserve(_ origin: FiberOrigin, now: MonotonicInstant) -> FiberSlot { slots.value.insert(Fiberling(origin: origin, since: now)) }

    /// Enters a fiber's task in its place. One that others than the loop may cancel, a child of a group, listens for itself.
    @inline(__always)
    func enter(_ task: TaskIdentity, in slot: FiberSlot, _ ears: FiberEars) {
        slots.value.assign(task, to: slot)
        if ears == .loop { waits.value.insert(task.address) }
        if isEnding { cancel(slot) }
    }

    /// Enters the current task, which has come here by itself.
    func enterCurrent(_ origin: FiberOrigin, now: MonotonicInstant, _ ears: FiberEars) -> FiberSlot {
        guard let task = TaskIdentity.current else { trap("A fiber was begun outside of any task.") }
        let slot = reserve(origin, now: now)
        enter(task, in: slot, ears)
        return slot
    }

    /// The task's last step on the loop.
    @inline(__always)
    func leave(_ slot: FiberSlot) {
        waits.value.remove(slots.value.task(of: slot).address)
        slots.value.remove(slot)
    }

    /// What a fiber is called, and where it was spawned, until its last step.
    func origin(of slot: FiberSlot) -> FiberOrigin {
        guard let fiber = slots.value[slot] else { trap("A fiber was asked for that has left its loop. This is a bug of Portloop.") }
        return fiber.origin
    }

    /// Notes what a task is about to wait for. False for one that the loop does not listen for. Whether it has been asked to end already is
    /// the caller's to find out, and to tell it at once.
    @inline(__always)
    func note(_ task: TaskIdentity, _ wait: FiberWait) -> Bool { waits.value.note(task.address, wait) }

    /// Somebody has asked a task to end. It may have ended since, and another may have its address: whose wait is ended only if it has been
    /// asked as well.
    func hasCancelled(_ task: TaskIdentity) {
        // SAFETY: a task leaves the index before it ends.
        guard let wait = waits.value.wait(of: task.address), unsafe task.isCancelled else { return }
        end(wait)
    }

    @inline(never)
    private func cancel(_ slot: FiberSlot) {
        guard slots.value[slot] != nil else { return }
        let task = slots.value.task(of: slot)
        // SAFETY: a task leaves its slot before it ends.
        unsafe task.cancel()
        // Its handlers may have done anything, but end the fiber: that takes a turn.
        if let wait = waits.value.wait(of: task.address) { end(wait) }
    }

    /// What a fiber waited for before and waits for no more has a generation that is gone.
    private func end(_ wait: FiberWait) {
        if wait.kind == .none { return }
        ended.append(wait)
    }

    /// Asks every fiber to end, and those that are still to come. Their cancellation handlers run in here, and may spawn more.
    func cancelAll() {
        isEnding = true
        var index: UInt32 = 0
        while index < slots.value.used {
            cancel(FiberSlot(index: index))
            index += 1
        }
    }

    /// Fibers may come again.
    func reopen() { isEnding = false }

    /// The fibers that have not ended.
    func dump(now: MonotonicInstant) -> [FiberDump] {
        (0..<slots.value.used).compactMap { index in slots.value[FiberSlot(index: index)].map { FiberDump($0, now: now) } }
    }
}

/// Where a fiber stands in its loop's table.
@usableFromInline struct FiberSlot: Sendable {
    @usableFromInline let index: UInt32

    @usableFromInline init(index: UInt32) { self.index = index }

    /// Nowhere yet: another thread has spawned it.
    @inlinable static var none: FiberSlot { FiberSlot(index: .max) }

    @inlinable var isNone: Bool { index == .max }
}

/// What a fiber's task finds its place by: the place itself, or, from another thread, what one is made of. Two words, which a fiber has for
/// as long as it lives.
@safe @usableFromInline struct FiberTicket: Sendable {
    /// None for one that was sent.
    @usableFromInline let slot: FiberSlot
    private let sent: Unmanaged<SentOrigin>?

    // SAFETY: there is nothing to take.
    init(_ slot: FiberSlot) {
        self.slot = slot
        unsafe sent = nil
    }

    // SAFETY: retained until the fiber's first step takes it.
    init(sending origin: FiberOrigin) {
        slot = .none
        unsafe sent = .passRetained(SentOrigin(origin))
    }

    /// What was sent, for the first step, which MUST take it once.
    // SAFETY: as above.
    func take() -> FiberOrigin {
        guard let sent = unsafe sent else { trap("A fiber that was not sent was received.") }
        return unsafe sent.takeRetainedValue().origin
    }

    private final class SentOrigin: Sendable {
        let origin: FiberOrigin

        init(_ origin: FiberOrigin) { self.origin = origin }
    }
}

/// What a fiber is called, and where it was spawned.
struct FiberOrigin: Sendable {
    let name: String?
    let place: SourcePlace

    init(name: String?, file: StaticString, line: UInt) {
        self.name = name
        place = SourcePlace(file: file, line: line)
    }
}

/// One fiber that has not ended.
struct Fiberling {
    let origin: FiberOrigin
    /// When it came into the table.
    let since: MonotonicInstant
}

/// Who hears that a fiber is cancelled.
enum FiberEars {
    /// The loop, through which alone it can be: its waits need no handlers of their own, each of which costs as much as the wait.
    case loop
    /// The waits themselves: the task is somebody else's, such as a group's.
    case waits
}

/// What a fiber waits for, or last waited for: there is one for each fiber, so it is small.
struct FiberWait: Equatable {
    enum Kind: UInt8 {
        case none
        case operation
        case parked
    }

    let generation: UInt64
    let index: UInt32
    let kind: Kind

    static var none: FiberWait { FiberWait(generation: 0, index: 0, kind: .none) }

    @inline(__always)
    static func operation(_ id: OperationID) -> FiberWait {
        FiberWait(generation: id.generation, index: id.index.rawValue, kind: .operation)
    }

    @inline(__always)
    static func parked(_ id: ParkID) -> FiberWait { FiberWait(generation: id.generation, index: id.index, kind: .parked) }
}

/// The places of a fiber table: used again, last freed first.
private struct FiberSlots: ~Copyable {
    private struct Place {
        var fiber: Fiberling?
        /// The fiber's. It leaves the table itself, by its last step: so it is alive for as long as it is here. By itself, and a number,
        /// so that to ask of it copies nothing.
        var task = TaskIdentity(address: 0)
        var nextFree = UInt32.max
    }

    private var places = RawColumn<Place>(capacity: 16)
    private var firstFree = UInt32.max
    private(set) var used: UInt32 = 0
    private(set) var count = 0

    deinit { places.deinitialize(0..<Int(used)) }

    subscript(slot: FiberSlot) -> Fiberling? {
        @inline(__always) get { places[Int(slot.index)].fiber }
    }

    @inline(__always)
    func task(of slot: FiberSlot) -> TaskIdentity { places[Int(slot.index)].task }

    @inline(__always)
    mutating func insert(_ fiber: consuming Fiberling) -> FiberSlot {
        count += 1
        guard firstFree != .max else { return append(fiber) }
        let index = firstFree
        firstFree = places[Int(index)].nextFree
        // A free place holds nothing that would have to be released.
        places.initialize(Int(index), to: Place(fiber: fiber))
        return FiberSlot(index: index)
    }

    @inline(__always)
    mutating func assign(_ task: TaskIdentity, to slot: FiberSlot) { places[Int(slot.index)].task = task }

    @inline(never)
    private mutating func append(_ fiber: consuming Fiberling) -> FiberSlot {
        if Int(used) == places.capacity { places.resize(to: places.capacity * 2, keeping: Int(used)) }
        places.initialize(Int(used), to: Place(fiber: fiber))
        used += 1
        return FiberSlot(index: used - 1)
    }

    @inline(__always)
    mutating func remove(_ slot: FiberSlot) {
        count -= 1
        places[Int(slot.index)].fiber = nil
        places[Int(slot.index)].nextFree = firstFree
        firstFree = slot.index
    }
}
