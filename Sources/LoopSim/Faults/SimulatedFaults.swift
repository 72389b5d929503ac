/// How the simulated kernel misbehaves, within what its contract allows. A plain value: copy it, print it, change it while the loop runs.
///
/// Everything here is something a real kernel or driver has been seen to do. What no kernel may do (a packet that comes twice, a packet
/// that never leaves) is not here: ``KernelBug`` has it, for tests of the tests.
public struct SimulatedFaults: Hashable, Sendable {
    // MARK: at the call

    /// The call fails at once: no packet is owed (C1). As with ERROR_NO_SYSTEM_RESOURCES.
    public var refusesOperations = Chance.never
    /// The handle is not accepted.
    public var refusesAssociations = Chance.never
    /// Work that is done at once is answered without a packet, where the caller allows that. Never is how Windows behaves.
    public var answersInline = Chance.always

    // MARK: at the work

    /// The work begins after the call has returned, up to ``delayMaxNanoseconds`` later, although it could have been done at once.
    public var startsLate = Chance.never
    /// The driver loses the operation: neither its work nor a cancel brings a packet (C8), until ``SimulatedPort/releaseStuck()``.
    public var getsStuck = Chance.never
    /// A read brings half of what it could.
    public var shortReads = Chance.never
    /// A read succeeds at once with no bytes, though the stream goes on. As serial drivers do when an interval runs out.
    public var emptyReads = Chance.never
    /// A read completes with STATUS_TIMEOUT and what there is, perhaps nothing: a success (C5).
    public var timeoutStatuses = Chance.never
    /// A read completes with a warning status: a packet like any other, and its bytes are valid (C1).
    public var warningStatuses = Chance.never
    /// The operation fails half-way, with the count of what it moved (C4).
    public var failsLate = Chance.never

    // MARK: at a cancel

    /// The system says no. The operation goes on as if nobody had asked.
    public var refusesCancels = Chance.never
    /// The cancel takes effect up to ``delayMaxNanoseconds`` later; work that is done first wins (C3).
    public var slowCancels = Chance.never
    /// The cancel meets an operation whose bytes are under way: it is aborted with those bytes counted (C4).
    public var abortsWithBytes = Chance.never
    /// A cancel that comes after the work and before its packet is answered as if it had gone out, instead of "not found".
    public var acceptsLateCancels = Chance.never

    // MARK: at the packet

    /// The packet is held back up to ``delayMaxNanoseconds``: others overtake it.
    public var reordersPackets = Chance.never
    /// A packet with somebody else's key comes along (C6).
    public var foreignPackets = Chance.never

    // MARK: at the wait

    /// A wait that may block returns at once with nothing.
    public var returnsEarly = Chance.never
    /// A wait ends half-way to its bound with nothing.
    public var spuriousWakes = Chance.never
    /// A wake takes this long to arrive. The first ones fail altogether after ``SimulatedWaker/failNext(_:)``.
    public var wakeDelayNanoseconds: UInt64 = 0

    // MARK: how long, and what happens at a close

    /// Bound on every delay above. 200 µs: a slow disk, and far below the default cancel grace.
    public var delayMaxNanoseconds: UInt64 = 200_000
    /// What becomes of operations whose handle is closed behind the loop's back.
    public var close = CloseBehaviour.endsOperations
    /// Which number a new handle gets. Latest first is what both kernels do, and what makes C13 bite.
    public var numbers = NumberReuse.latestFirst

    public init() {}

    /// A kernel that does nothing wrong.
    public static let none = SimulatedFaults()
}

/// What closing a handle does to the operations that run on it.
public enum CloseBehaviour: UInt8, Hashable, Sendable {
    /// Each gets an aborted packet, as on Windows.
    case endsOperations
    /// They stay parked until they are cancelled or their number is associated anew, as with epoll.
    case forgetsOperations
}

/// Which handle number is given to a new object.
public enum NumberReuse: UInt8, Hashable, Sendable {
    /// The one that was closed last.
    case latestFirst
    /// Always a fresh one.
    case never
}
