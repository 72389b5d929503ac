internal import _Concurrency

/// The fibers that run on a loop, from their first step to their last. It belongs to the loop's thread.
final class FiberTable {
    private let slots = Pinned(FiberSlots())
    /// Fibers that ended by throwing and had not been cancelled.
    var failures: UInt64 = 0
    /// Everybody has been asked to end, and so is whoever begins now.
    private var isEnding = false

    /// Fibers that run now.
    var count: Int { slots.value.count }

    /// Enters the current task.
    @inline(__always)
    func enter(_ origin: FiberOrigin, now: MonotonicInstant) -> FiberSlot {
        let slot = slots.value.insert(Fiberling(origin: origin, began: now))
        if isEnding { cancel(slot) }
        return slot
    }

    /// The task's last step on the loop.
    @inline(__always)
    func leave(_ slot: FiberSlot) { slots.value.remove(slot) }

    @inline(never)
    private func cancel(_ slot: FiberSlot) { slots.value[slot]?.cancel() }

    /// Asks every fiber to end, and those that are still to begin. Their cancellation handlers run in here, and may spawn more.
    func cancelAll() {
        isEnding = true
        var index: UInt32 = 0
        while index < slots.value.used {
            cancel(FiberSlot(index: index))
            index += 1
        }
    }

    /// Fibers may begin again.
    func reopen() { isEnding = false }

    /// The fibers that have not ended.
    func dump(now: MonotonicInstant) -> [FiberDump] {
        (0..<slots.value.used).compactMap { index in slots.value[FiberSlot(index: index)].map { FiberDump($0, now: now) } }
    }
}

/// Where a fiber stands in its loop's table.
@usableFromInline struct FiberSlot {
    let index: UInt32
}

/// What a fiber is called, and where it was spawned.
@usableFromInline struct FiberOrigin: Sendable {
    let name: String?
    let place: SourcePlace

    @usableFromInline
    init(name: String?, file: StaticString, line: UInt) {
        self.name = name
        place = SourcePlace(file: file, line: line)
    }
}

/// One fiber that has begun. Its task leaves the table itself, by its last step: so it is alive for as long as this is.
@safe struct Fiberling {
    private let task: UnsafeCurrentTask?
    let origin: FiberOrigin
    let began: MonotonicInstant

    /// The current task's.
    // SAFETY: see above.
    init(origin: FiberOrigin, began: MonotonicInstant) {
        unsafe task = unsafe withUnsafeCurrentTask { unsafe $0 }
        self.origin = origin
        self.began = began
    }

    // SAFETY: as above.
    func cancel() { unsafe task?.cancel() }
}

/// The places of a fiber table: used again, last freed first.
private struct FiberSlots: ~Copyable {
    private struct Place {
        var fiber: Fiberling?
        var nextFree = UInt32.max
    }

    private var places = RawColumn<Place>(capacity: 16)
    private var firstFree = UInt32.max
    private(set) var used: UInt32 = 0
    private(set) var count = 0

    deinit { places.deinitialize(0..<Int(used)) }

    subscript(slot: FiberSlot) -> Fiberling? { places[Int(slot.index)].fiber }

    @inline(__always)
    mutating func insert(_ fiber: consuming Fiberling) -> FiberSlot {
        count += 1
        guard firstFree != .max else { return append(fiber) }
        let index = firstFree
        firstFree = places[Int(index)].nextFree
        places[Int(index)].fiber = fiber
        return FiberSlot(index: index)
    }

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
