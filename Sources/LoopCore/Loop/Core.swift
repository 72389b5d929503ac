internal import _Concurrency

/// The machinery of a loop: not Sendable, touched on the loop's thread alone, behind the check in `EventLoop.core`.
///
/// The themes are in Core+Waiting.swift (deadlines and graces of operations), Core+Turn.swift (the phases of a turn) and
/// Core+Shutdown.swift.
final class Core {
    let port: any CompletionPort
    let ledger: Ledger
    let limits: Limits
    let batch: PacketBatch
    private let pinnedTimers = Pinned(TimerHeap<TimerAction>())
    private let pinnedReady = Pinned(ReadyQueue())
    /// Jobs that gave way: they run after the next look at the port.
    private let pinnedYielded = Pinned(Ring<Ready>())
    /// Cancels asked for on this thread, possibly from within a call of ours: looked at in a phase of their own.
    private let pinnedPostedCancels = Pinned(Ring<OperationID>())
    private let pinnedMeters = Pinned(Meters())
    /// Tasks that wait for something else than an operation, and the wakes that their cancellation asks for, as with operations.
    let parked = ParkTable()
    private let pinnedPostedWakes = Pinned(Ring<ParkID>())
    let fibers = FiberTable()
    /// Where the task that is about to come to the waiting room waits.
    var arrival = Arrival.none
    /// What the task that leaves the waiting room was woken by.
    var wakeup = Wakeup.signalled
    /// What is known of operations that were given up on, until the tasks that waited for them are told.
    var stuck: [OperationID: StuckOperation] = [:]
    /// Work for other threads.
    let offload = OffloadPool()
    let signals = SignalHub()
    let scratch = Scratch()
    let watched = WatchTable()
    /// Who waits for the ends of fibers, by fiber, while anybody does or did.
    var joiners: [TaskIdentity: WaitList] = [:]
    /// The run under way.
    var run: (any RunInProgress)?
    /// The run's function has returned.
    var isRunOver = false
    /// Signals that came to end the run.
    var interruptions = 0
    /// Timeouts under way: while there is none, no wait looks for one.
    var openTimeouts = 0
    /// The clock as last read in this turn; not of this turn at all until something asks for ``present``.
    private(set) var now: MonotonicInstant
    private(set) var isClockRead = false
    var phase = TurnPhase.outside
    /// The job that runs now, to recognise one that queues itself again.
    var runningJob: UInt = 0
    var inlineCompletions = 0
    /// Whether the port's last batch was full: then there may be more.
    var lastBatchWasFull = false
    /// When the port was last asked, and how often it was not since then, although a turn came by.
    var lastLook = MonotonicInstant(nanoseconds: 0)
    var looksPutOff = 0
    /// The port has been closed: nothing may be asked of it any more.
    var isEnded = false
    /// Nothing may be started any more.
    var isClosing: Bool { !ledger.isOpen }
    /// Calls of anybody else's code so far: jobs, posted calls, timers, waiters.
    var calls: UInt64 = 0
    /// Whether another thread ended the last wait.
    var wasWoken = false
    /// Until when the task waits that does so in place: it has no timer.
    var deadlineInPlace: MonotonicInstant?
    /// Whether senders already see that the loop sleeps, or is about to.
    var isArmed = false

    init(port: any CompletionPort, limits: Limits) {
        self.port = port
        self.limits = limits
        ledger = Ledger(port: port, limits: limits)
        batch = PacketBatch(capacity: limits.packetsPerBatchMax)
        now = port.now()
    }

    /// The time of the present turn: the clock as last read, at the latest when the port last answered. Read anew outside of a turn,
    /// where the last one may be long ago.
    @inline(__always)
    var present: MonotonicInstant { isClockRead ? now : readClock() }

    /// Reads the clock, which then is the turn's time.
    @discardableResult
    func readClock() -> MonotonicInstant {
        now = port.now()
        isClockRead = phase == .turning
        return now
    }

    /// A turn ends or begins: its time is not known.
    func forgetClock() { isClockRead = false }

    /// The table of fibers for the time of a call, without the retain and the release that the compiler puts around one: a spawn asks three
    /// times (counted).
    // SAFETY: the table is there for as long as the machinery.
    @inline(__always)
    func withFibers<R>(_ body: (FiberTable) -> R) -> R { unsafe Unmanaged.passUnretained(fibers)._withUnsafeGuaranteedRef(body) }

    var timers: TimerHeap<TimerAction> {
        // SAFETY: see Pinned.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pinnedTimers.address) }
        // SAFETY: see Pinned.
        @inline(__always) unsafeMutableAddress { unsafe pinnedTimers.address }
    }

    var ready: ReadyQueue {
        // SAFETY: see Pinned.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pinnedReady.address) }
        // SAFETY: see Pinned.
        @inline(__always) unsafeMutableAddress { unsafe pinnedReady.address }
    }

    var yielded: Ring<Ready> {
        // SAFETY: see Pinned.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pinnedYielded.address) }
        // SAFETY: see Pinned.
        @inline(__always) unsafeMutableAddress { unsafe pinnedYielded.address }
    }

    var postedCancels: Ring<OperationID> {
        // SAFETY: see Pinned.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pinnedPostedCancels.address) }
        // SAFETY: see Pinned.
        @inline(__always) unsafeMutableAddress { unsafe pinnedPostedCancels.address }
    }

    var postedWakes: Ring<ParkID> {
        // SAFETY: see Pinned.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pinnedPostedWakes.address) }
        // SAFETY: see Pinned.
        @inline(__always) unsafeMutableAddress { unsafe pinnedPostedWakes.address }
    }

    var meters: Meters {
        // SAFETY: see Pinned.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pinnedMeters.address) }
        // SAFETY: see Pinned.
        @inline(__always) unsafeMutableAddress { unsafe pinnedMeters.address }
    }

    deinit {
        guard !isEnded else { return }
        port.close()
        signals.close()
    }
}

/// Where the loop is in its turn. Calls that turn the loop are refused in all but the first.
enum TurnPhase: UInt8 {
    case outside
    case turning
}

/// What a due timer does.
enum TimerAction {
    case call(() -> Void)
    case deadline(OperationID)
    case grace(OperationID, Grace)
    case retireGrace(HandleKey, Grace)
    case wake(ParkID)
}

/// How far a grace has come. It may run out while the packet lies ready, after the process was stopped for a while: so the port is asked
/// again before anybody is given up on.
enum Grace: UInt8 {
    case running
    /// The loop has seen that it ran out, when its timer's deadline says, and looks for the packet among those that lie ready.
    case overdue
}

/// What waits to run on the loop.
enum Ready {
    case job(UnownedJob)
    /// The next step of a task that has waited.
    case woken(UnownedJob, Wakeup)
    case call(@Sendable (isolated EventLoop) -> Void)
}

/// The port's batch: allocated once.
@safe struct PacketBatch: ~Copyable {
    private let packets: UnsafeMutableBufferPointer<Packet>
    let capacity: Int

    // SAFETY: allocated for the life of this value; packets are trivial.
    init(capacity: Int) {
        self.capacity = capacity
        unsafe packets = .allocate(capacity: capacity)
        unsafe packets.initialize(repeating: Packet(key: PacketKey(rawValue: 0), block: nil, completion: Completion(count: 0)))
    }

    // SAFETY: as above.
    deinit { unsafe packets.deallocate() }

    /// Asks the port, and hands out what it brought.
    // SAFETY: the port fills the first `count` places and keeps no pointer to them.
    @inline(__always)
    borrowing func fill(from port: any CompletionPort, for bound: WaitBound) -> Int { unsafe port.wait(into: packets, for: bound) }

    // SAFETY: `count` is what `fill` answered.
    @inline(__always)
    borrowing func forEach(_ count: Int, _ body: (Packet) -> Void) {
        guard count <= capacity else { trap("The port says it filled \(count) places of a batch of \(capacity).") }
        for place in 0..<count { body(unsafe packets[place]) }
    }
}
