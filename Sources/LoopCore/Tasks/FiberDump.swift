/// One fiber that has not ended, as `dump` and the shutdown report show it.
public struct FiberDump: Hashable, Sendable, CustomStringConvertible {
    /// The name it was spawned with.
    public let name: String?
    /// How long ago it was spawned; for one of another thread's or of a group, how long ago it began.
    public let ageNanoseconds: UInt64
    /// The source file that spawned it.
    public let file: String
    /// The line in that file.
    public let line: UInt32

    init(_ fiber: Fiberling, now: MonotonicInstant) {
        name = fiber.origin.name
        ageNanoseconds = now.nanoseconds(since: fiber.since)
        file = fiber.origin.place.file
        line = fiber.origin.place.line
    }

    public var description: String {
        "fiber \(name ?? "without a name") for \(ageNanoseconds / 1_000_000) ms, spawned at \(file):\(line)"
    }
}
