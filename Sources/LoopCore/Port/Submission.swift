/// What the return code of a native call means for the ledger (clause C1).
public enum Submission: Hashable, Sendable {
    /// Success, pending, or a warning status: exactly one packet will come.
    case owesPacket
    /// Done at once, and no packet will come. Only where the request allowed it.
    case completed(Completion)
    /// An error status: the one case that owes no packet.
    case refused(SystemCode)
}

/// What became of a request to cancel. None of these retires the operation: its packet does (clause C3).
public enum CancelAnswer: Hashable, Sendable {
    case requested
    /// The operation had already completed, or the port does not know it.
    case notFound
    /// The system said no. Counted, never thrown: the deadline's grace covers what follows.
    case refused(SystemCode)
}

/// How long ``CompletionPort/wait(into:for:)`` may block.
public enum WaitBound: Hashable, Sendable {
    case poll
    case until(MonotonicInstant)
    case forever
}

/// What a descriptor is ready for, as `poll` reports it.
public struct Readiness: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A read would not block.
    @inlinable public static var readable: Readiness { Readiness(rawValue: 1) }
    /// A write would not block.
    @inlinable public static var writable: Readiness { Readiness(rawValue: 2) }
    /// Urgent or exceptional data.
    @inlinable public static var priority: Readiness { Readiness(rawValue: 4) }
    /// Reported whether asked for or not.
    @inlinable public static var hangup: Readiness { Readiness(rawValue: 8) }
    /// Reported whether asked for or not.
    @inlinable public static var failed: Readiness { Readiness(rawValue: 16) }
}

/// What an adapter's own system call says when an ``CompletionPort/attempt(_:_:)`` calls it.
public enum AttemptResult: Hashable, Sendable {
    case done(count: Int)
    case failed(SystemCode)
    case wouldBlock(Direction)
}

/// Which way bytes go, seen from this process.
public enum Direction: UInt8, Sendable {
    case read
    case write
}

/// Where a transfer begins in a file that can seek. Streams ignore it.
public struct FileOffset: Hashable, Sendable {
    public let rawValue: UInt64

    /// An offset from the file's beginning.
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}
