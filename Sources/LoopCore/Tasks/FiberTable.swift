internal import _Concurrency

/// The fibers that run on a loop, from their first step to their last. It belongs to the loop's thread.
final class FiberTable {
    private var places: [FiberPlace?] = []
    private var free: [Int] = []
    private(set) var count = 0
    /// Fibers that ended by throwing and had not been cancelled.
    var failures: UInt64 = 0
    /// Everybody has been asked to end, and so is whoever begins now.
    private var isEnding = false

    /// Enters the current task.
    func enter(_ name: String?, _ place: SourcePlace, now: MonotonicInstant) -> Int {
        let fiber = FiberPlace(name: name, place: place, began: now)
        count += 1
        if isEnding { fiber.cancel() }
        guard let index = free.popLast() else {
            places.append(fiber)
            return places.count - 1
        }
        places[index] = fiber
        return index
    }

    /// The task's last step on the loop.
    func leave(_ index: Int) {
        places[index] = nil
        free.append(index)
        count -= 1
    }

    /// Asks every fiber to end, and those that are still to begin. Their cancellation handlers run in here, and may spawn more.
    func cancelAll() {
        isEnding = true
        var index = 0
        while index < places.count {
            let fiber = places[index]
            fiber?.cancel()
            index += 1
        }
    }

    /// Fibers may begin again.
    func reopen() { isEnding = false }

    /// The fibers that have not ended.
    func dump(now: MonotonicInstant) -> [FiberDump] { places.compactMap { $0.map { FiberDump($0, now: now) } } }
}

/// One fiber that has begun. Its task leaves the table itself, by its last step: so it is alive for as long as this is.
@safe struct FiberPlace {
    private let task: UnsafeCurrentTask?
    let name: String?
    let place: SourcePlace
    let began: MonotonicInstant

    /// The current task's.
    // SAFETY: see above.
    init(name: String?, place: SourcePlace, began: MonotonicInstant) {
        unsafe task = unsafe withUnsafeCurrentTask { unsafe $0 }
        self.name = name
        self.place = place
        self.began = began
    }

    // SAFETY: as above.
    func cancel() { unsafe task?.cancel() }
}
