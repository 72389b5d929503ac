import LoopCore

extension MonotonicInstant {
    static func at(_ nanoseconds: Int) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: UInt64(nanoseconds))
    }
}

extension TimerHeap {
    /// Takes what is left of the batch.
    mutating func takeAll() -> [Payload] {
        var taken: [Payload] = []
        while let due = takeCollected() { taken.append(due.payload) }
        return taken
    }
}
