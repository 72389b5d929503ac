/// The kernel's completion queue, as the loop needs it.
///
/// A port is used by one thread, the loop's, but for its ``waker``. It owns no operation: the ledger does. What it promises is numbered,
/// and the contract suite of LoopSim has a case for each number on every port.
///
/// * **C1** Exactly one packet for each operation that a verb or ``classify(_:)`` answered with ``Submission/owesPacket``, whether the
///   work was done at once or later. None for ``Submission/refused(_:)`` and ``Submission/completed(_:)``.
/// * **C2** Until that packet is handed out by ``wait(into:for:)`` the port and the kernel may write to the control block and the
///   buffer, and MUST NOT afterwards.
/// * **C3** ``cancel(_:)`` is a request: the packet follows in any case, aborted or not.
/// * **C4** The packet's count is what was really moved, also on an aborted operation.
/// * **C5** Every status of the success class has error 0; the raw status stands beside it. An operation that was ended early says so with
///   the platform's own code and status, those of ``abortedCompletion``, whoever makes its packet.
/// * **C6** A packet is dispatched on its key before its pointer is looked at; a stranger's packet is handed out with its own key.
/// * **C11** Every native call is made on the loop's thread, or by a helper thread whose only effect is one packet.
/// * **C13** An event of a handle number that was closed and recycled is dropped by its generation.
/// * **C14** The kernel is given no event handle and no APC routine for an operation.
///
/// No requirement calls back into the loop, but for ``attempt(_:_:)``, whose function runs inside ``wait(into:for:)`` or the verb itself
/// while every queue of the port is whole.
public protocol CompletionPort: AnyObject {
    /// What other threads use: to wake the port, and to know their own thread from the loop's.
    var waker: any PortWaker { get }

    /// The monotonic clock that deadlines are measured on; virtual in the simulator.
    func now() -> MonotonicInstant

    /// What the platform offers beside completions; nil where it offers none of it.
    var system: (any SystemServices)? { get }

    // MARK: handles

    /// Binds a kernel object to the port. MUST ask the kernel each time: success means a new object, and ends whatever an older
    /// association of the same number still had parked (C13).
    func associate(_ handle: NativeHandle, as key: HandleKey, options: AssociationOptions) throws(AssociationError)

    /// Forgets a handle whose operations have all settled. The handle stays open: it is the caller's.
    func dissociate(_ handle: NativeHandle, as key: HandleKey)

    /// Closes a handle that an `accept` made and nobody took.
    func close(acquired handle: NativeHandle)

    // MARK: operations

    /// What the return code of an adapter's own native call means (C1).
    func classify(_ code: Int32) -> Submission

    /// The same for a call that was given this request's control block: a port that has to know whose packets will come learns it here.
    func classify(_ code: Int32, of request: PortRequest) -> Submission

    /// Asks for an operation to end early. The corresponding function is `CancelIoEx` with the operation's `OVERLAPPED`.
    func cancel(_ request: PortRequest) -> CancelAnswer

    /// What the packet says of an operation that was ended early with nothing moved (C5): ECANCELED on Linux, ERROR_OPERATION_ABORTED
    /// and STATUS_CANCELLED on Windows. MUST be ``Severity/aborted``, with an error and a status that are not zero. The loop posts it for
    /// those that nobody else will complete.
    var abortedCompletion: Completion { get }

    /// Queues one packet for a submitted operation, from the loop's thread.
    /// The corresponding function is `PostQueuedCompletionStatus`.
    func post(_ block: UnsafeMutableRawPointer, _ completion: Completion)

    /// Moves finished work into the batch and returns how many entries it filled: where that leaves room, and ``nextDeadline`` does not say
    /// that there is more to do at once, nothing more was finished. Blocks for at most `bound`, and only while nothing is finished. It may
    /// return early with nothing; never late by more than the system's timer resolution, and never early because a time was rounded down.
    /// The corresponding function is `GetQueuedCompletionStatusEx`.
    func wait(into batch: UnsafeMutableBufferPointer<Packet>, for bound: WaitBound) -> Int

    /// Ends the port. Operations it can still reach get their packet from no one: the ledger disowns them (C10).
    func close()

    /// A descriptor that polls readable when ``wait(into:for:)`` has something to do, for hosts with a loop of their own; nil where the
    /// platform has none.
    var pollableHandle: NativeHandle? { get }

    /// When ``wait(into:for:)`` has something to do that ``pollableHandle`` does not show: at once while packets are queued in the port
    /// itself, at a time of its own where it retries something; nil if only the kernel knows.
    var nextDeadline: MonotonicInstant? { get }

    /// Says something to whoever runs the program, where it can be said to nobody else: a fiber's failure. One line, to the standard error
    /// output where there is one.
    func report(_ sentence: String)

    /// Has the processor fetch memory that is about to be used, where the platform has a word for that. A hint: it follows no pointer, and
    /// what is not there is not fetched.
    func fetch(_ memory: UnsafeRawPointer, bytes: Int)

    /// Metrics of the port itself.
    var portMetrics: PortMetrics { get }

    // MARK: portable verbs
    //
    // The seam has checked counts and ranges against the buffer.

    /// Reads into the buffer: as many bytes as are there, at least one. Zero bytes is the end of a stream.
    func read(_ request: PortRequest, at offset: FileOffset?) -> Submission

    /// Writes the buffer's first `count` bytes: all of them, or the count so far with the error that stopped it.
    func write(_ request: PortRequest, count: Int, at offset: FileOffset?) -> Submission

    /// Writes the given ranges of the buffer, in order, as one write. At most ``segmentsMax`` ranges.
    func write(_ request: PortRequest, segments: [Range<Int>], at offset: FileOffset?) -> Submission

    /// Receives one datagram, and its sender where the request has room for an address. One that does not fit is cut, with a
    /// warning.
    func receive(_ request: PortRequest) -> Submission

    /// Sends the buffer's first `count` bytes as one datagram, to the request's address where it has one.
    func send(_ request: PortRequest, count: Int) -> Submission

    /// Accepts one connection: ``Completion/acquired``, non-blocking and not inherited, and its peer where there is room for an
    /// address.
    func accept(_ request: PortRequest) -> Submission

    /// Connects to the request's address. Finished means that there is a peer.
    func connect(_ request: PortRequest) -> Submission

    /// Waits until the handle is ready for one of `interest`: the packet's count is what it is ready for.
    func poll(_ request: PortRequest, _ interest: Readiness) -> Submission

    /// Runs a non-blocking system call of the adapter's whenever the handle may be ready, until it says done or failed. Where nothing tells
    /// when a handle is ready (anything but a socket on Windows), a call that would block fails.
    ///
    /// With a direction it stands in line like a verb of that direction: behind those that wait, and without a first call where the handle
    /// is known not to be ready. Without one the first call is made at once, because it is what finds out the direction.
    func attempt(_ request: PortRequest, _ direction: Direction?, _ body: @escaping (NativeHandle) -> AttemptResult) -> Submission
}

extension CompletionPort {
    /// A port without threads, names, processes and signals.
    public var system: (any SystemServices)? { nil }

    /// A port that queues nothing itself has nothing to say here.
    public var nextDeadline: MonotonicInstant? { nil }

    /// A port without an error output uses the other.
    public func report(_ sentence: String) { print(sentence) }

    /// A port without a word to the processor leaves it to find out.
    // SAFETY: nothing is done.
    public func fetch(_ memory: UnsafeRawPointer, bytes: Int) {}

    /// A port that needs to know nothing of others' control blocks goes by the code alone.
    public func classify(_ code: Int32, of request: PortRequest) -> Submission { classify(code) }
}

/// The most ranges one gathered write may have: far below IOV_MAX (1024), and enough for a header, two halves of a ring and a trailer.
public let segmentsMax = 16

/// What a port counts about itself.
public struct PortMetrics: Hashable, Sendable {
    /// Calls that asked the kernel for events.
    public var kernelWaits: UInt64 = 0
    /// Those that were allowed to block.
    public var blockingWaits: UInt64 = 0
    /// Events and packets with a generation that is gone, or that nobody here asked for.
    public var staleEvents: UInt64 = 0
    /// Cancels that the system refused.
    public var refusedCancels: UInt64 = 0
    /// Times that an operation was put off until somebody gives back a descriptor or memory, and tried again.
    public var shortages: UInt64 = 0
    /// Helper threads that were left behind in a system call when the port was closed.
    public var abandonedThreads: UInt64 = 0

    public init() {}
}
