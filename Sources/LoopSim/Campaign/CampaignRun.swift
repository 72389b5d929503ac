internal import LoopCore
internal import Synchronization

/// One program on one loop: the loop, the simulated world, and the model that says what must be true of both.
///
/// The steps are in CampaignRun+Steps.swift, the calls of operations in +Operations, +Calls and +Renewals, what the loop tells in +Packets,
/// handles in +Handles, what is compared after each step in +Checks, and the two endings in +Ending.
final class CampaignRun {
    let port: SimulatedPort
    let checked: CheckedPort
    let observer: CampaignObserver
    let loop: EventLoop
    let ops: Operations
    let limits: Limits
    let faults: SimulatedFaults
    let endsHealed: Bool
    /// A loop beside this one, for its ids.
    let foreign: ForeignLoop

    var lines: [CampaignLine] = []
    /// Operations whose id is alive.
    var operations: [CampaignOperation] = []
    /// Ids that are dead; the last few.
    var dead: [OperationID] = []
    var held: [HeldOutcome] = []
    /// Remote operations that nobody has completed, and those whose completion is in the mail.
    var remotes: [(operation: CampaignOperation, completion: RemoteCompletion)] = []
    var inTheMail: [CampaignOperation] = []
    var timers: [CampaignTimer] = []
    var posts = CampaignPosts()

    // Counts of the model's own, compared with the ledger's.
    var staleIDs: UInt64 = 0
    var foreignIDs: UInt64 = 0
    var preparedEver: UInt64 = 0
    var inlineEver: UInt64 = 0
    var orphansEver = 0
    var packets = 0
    var leaked = 0
    var stepsTaken = 0
    var lastTag: UInt64 = 0
    private let reports: BreachReports
    /// The loop is being ended: callbacks start nothing new, and waits may be cancelled.
    var isEnding = false
    var isEnded = false
    private(set) var failure: String?

    init(seed: UInt64, faults: SimulatedFaults, bug: KernelBug?) {
        self.faults = faults
        endsHealed = SimulatedRandom.mix(seed) % 3 != 0
        limits = CampaignRun.smallLimits
        let port = SimulatedPort(seed: seed, faults: faults)
        reports = BreachReports()
        let parts = PortParts(port, bug, seed: seed, reports)
        self.port = port
        (checked, observer, loop) = (parts.checked, parts.observer, parts.makeLoop(limits))
        ops = loop.operationsOnThisThread()
        foreign = ForeignLoop()
        port.bug = bug
        reports.run = self
        observer.onPacket = { [self] in packetCame($0, $1) }
        observer.onPost = { [self] in remoteWasPosted($0) }
        port.whenIdle { [self] in idle() }
    }

    /// Limits that a program of a few steps runs into. The ledger stays small, so that walking it after each step is cheap.
    private static var smallLimits: Limits {
        var limits = Limits()
        limits.operationsMax = 20
        limits.operationsPerHandleMax = 7
        limits.bytesMax = 1024
        limits.bytesPerHandleMax = 500
        limits.handlesMax = 5
        limits.packetsPerBatchMax = 4
        limits.cancelGraceNanoseconds = 2_000_000
        limits.shutdownBoundNanoseconds = 5_000_000
        return limits
    }

    /// Runs a program to its end, or to its first failure.
    func play(_ steps: [CampaignStep], before: (Int) -> Void = { _ in }) {
        for step in steps {
            stepsTaken += 1
            before(stepsTaken)
            take(step)
            check()
            if failure != nil { return letGo() }
        }
        before(stepsTaken + 1)
        if endsHealed { heal() } else { abandonShip() }
        letGo()
    }

    /// The first thing that is wrong is the one to look at; what follows from it is noise.
    func fail(_ sentence: @autoclosure () -> String) {
        if failure == nil { failure = sentence() }
    }

    func require(_ holds: Bool, _ sentence: @autoclosure () -> String) {
        if !holds { fail(sentence()) }
    }

    /// Drops what refers back to this run.
    private func letGo() {
        observer.onPacket = { _, _ in }
        observer.onPost = { _ in }
        port.whenIdle(nil)
        reports.run = nil
        for line in lines { line.letGo() }
        held = []
        remotes = []
        foreign.end()
    }
}

/// The chain of ports of a run: what the ledger sees, what is checked, what may be broken, and the simulation.
private struct PortParts {
    let checked: CheckedPort
    let observer: CampaignObserver
    private let chain: any CompletionPort

    // SAFETY: every part is made, used and dropped on the thread of the run; the compiler is told to take that on trust twice.
    init(_ port: SimulatedPort, _ bug: KernelBug?, seed: UInt64, _ reports: BreachReports) {
        nonisolated(unsafe) var below: any CompletionPort = port
        if let bug { unsafe below = MutantPort(port, bug, seed: seed) }
        checked = CheckedPort(unsafe below) { reports.add($0) }
        observer = CampaignObserver(checked)
        chain = observer
    }

    // SAFETY: as above.
    func makeLoop(_ limits: Limits) -> EventLoop {
        nonisolated(unsafe) let port = chain
        return EventLoop(port: unsafe port, limits: limits)
    }
}

/// Takes the breaches to the run, which is there only after its ports.
private final class BreachReports {
    var run: CampaignRun?

    init() {}

    func add(_ breach: ContractBreach) { run?.fail(breach.description) }
}

/// Another loop, whose ids mean nothing to the one under test.
final class ForeignLoop {
    let id: OperationID
    private let loop: EventLoop

    // SAFETY: only the id is kept.
    init() {
        let port = SimulatedPort()
        let (near, _) = port.makeStreamPair()
        loop = EventLoop(port: port)
        let ops = loop.operationsOnThisThread()
        guard let handle = try? ops.associate(near), let id = unsafe try? ops.prepare(handle).id else {
            trap("A loop without faults refused its first handle.")
        }
        self.id = id
    }

    func end() { loop.shutdown() }
}

/// A timer of a campaign.
final class CampaignTimer {
    var id: TimerID?
    var promise: Promise
    var timesFired = 0
    var isCancelled = false

    init(due: MonotonicInstant) { promise = Promise(due: due) }
}

/// Calls that other threads sent, and how many of them ran. The one part of a run that other threads would touch.
final class CampaignPosts: Sendable {
    private let sent = Atomic<Int>(0)
    private let ran = Atomic<Int>(0)
    private let latestAt = Atomic<UInt64>(0)

    init() {}

    func send(to loop: EventLoop, at now: MonotonicInstant) {
        sent.add(1, ordering: .relaxed)
        latestAt.store(now.nanoseconds, ordering: .relaxed)
        loop.post { [self] _ in ran.add(1, ordering: .relaxed) }
    }

    /// Calls that have not run.
    var outstanding: Int { sent.load(ordering: .relaxed) - ran.load(ordering: .relaxed) }

    /// When the latest was sent.
    var latest: MonotonicInstant { MonotonicInstant(nanoseconds: latestAt.load(ordering: .relaxed)) }
}
