/// Why a handle was not accepted. Each case is something that would otherwise hang without a word.
public enum AssociationError: Error, Hashable, Sendable {
    /// This loop already has it. Retire it first.
    case alreadyAssociated
    /// Another loop or port has it; a handle can be bound to one.
    case boundElsewhere
    /// It was opened without FILE_FLAG_OVERLAPPED: its calls would block the loop. Open it again with the flag.
    case notOverlapped
    /// It is in blocking mode. Set O_NONBLOCK, or associate it with ``AssociationOptions/setNonblocking``.
    case blocking
    /// Somebody set FILE_SKIP_COMPLETION_PORT_ON_SUCCESS on it, for good: work that is done at once would bring no packet. Open the object
    /// once more, and leave the flag off.
    case skipsPackets
    /// A console completes nothing. Use a thread, or the platform's own console interface.
    case console
    /// A directory cannot be read or waited for. On Windows one can, for its changes, and is accepted.
    case directory
    /// The number names no open kernel object.
    case badHandle
    /// The limit on associated handles is reached.
    case tooMany(limit: Int)
    /// The loop has been shut down.
    case closed
    /// This process is a fork of the one that made the loop. Make a new loop here.
    case forked
    /// The system refused, for a reason it gives.
    case system(SystemCode)
}

/// What ``Operations/associate(_:options:)`` may change about a handle.
public struct AssociationOptions: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Set O_NONBLOCK instead of refusing a blocking descriptor. It changes the open file, so every process that shares it sees it.
    @inlinable public static var setNonblocking: AssociationOptions { AssociationOptions(rawValue: 1) }
    /// A read that brings less than it has room for has taken all there was, and what comes later is an event of its own. True of a
    /// terminal in raw mode, and of nothing that keeps messages apart. A port that emulates completions then need not ask a second time.
    @inlinable public static var shortReadsEmpty: AssociationOptions { AssociationOptions(rawValue: 2) }
    /// Nothing but polls is asked of it, so that a handle in blocking mode will do, and one that its owner uses otherwise. A read or a
    /// write all the same would block the loop.
    @inlinable public static var pollsOnly: AssociationOptions { AssociationOptions(rawValue: 8) }
    /// After each wait for something to read that has ended (a read without room) the caller reads by himself until the kernel has no more,
    /// and only then waits again. A port that emulates completions then has a wait end by the kernel's event alone, and asks nothing.
    /// Such a wait may also end with nothing to read.
    @inlinable public static var drainsBetweenWaits: AssociationOptions { AssociationOptions(rawValue: 4) }
}
