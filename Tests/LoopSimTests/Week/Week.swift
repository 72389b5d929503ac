import LoopCore
import LoopSim

/// A week of virtual time on one loop, in which hundreds of fibers do everything a fiber can and are cancelled at random, with a model
/// beside them that knows what must be true.
///
/// A seed decides everything: what the fibers do, when, the kernel's faults, and who is cancelled. A fiber notes in the model what it is
/// about to wait for and judges what the wait came to (Week+Waits.swift, Week+Outcomes.swift). Whenever the loop is about to sleep, all
/// that can happen has happened: then the model is compared with the loop (Week+Rest.swift). What a fiber does is in Week+Steps.swift and
/// behind it, who disturbs it in Week+Mischief.swift, and how the week begins and ends in Week+Life.swift.
///
/// It belongs to the loop's thread. Fibers find it again through ``confined``.
final class Week {
    let seed: UInt64
    let port: SimulatedPort
    let rest: RestingPort
    let loop: EventLoop
    let ops: Operations
    let faults: SimulatedFaults
    let slip: WeekSlip?
    let began: MonotonicInstant
    /// Whether the week ends by an error of the run, which cancels everybody, or by cancelling each.
    let endsByError: Bool
    var random: SimulatedRandom

    /// Fibers that have not ended, in the order in which they were made.
    var live: [WeekFiber] = []
    var fibersEver = 0
    /// The latest of each kind of thing that is waited for.
    var semaphores: [WeekSemaphore] = []
    var mutexes: [WeekMutex] = []
    var gates: [WeekGate] = []
    var queues: [WeekQueue] = []
    var channels: [WeekChannel] = []
    /// Channels that were ended, while anybody has to do with them.
    var ended: [WeekChannel] = []
    /// Handles that take operations, and those that are on their way out.
    var lines: [WeekLine] = []
    var retiring: [WeekLine] = []
    var linesEver = 0
    /// Operations that somebody waits for.
    var waiting: [WeekOperation] = []
    var operationsEver: UInt64 = 0
    /// What nobody has completed yet.
    var remotes: [(operation: WeekOperation, completion: RemoteCompletion)] = []
    var elementsEver = 0

    var tally = WeekTally()
    var trace = TraceHash()
    /// When everybody was asked to end.
    var endedAt: MonotonicInstant?
    var failure: String?
    let witnesses: WitnessCount
    private let whereabouts: (UInt64) -> Void

    init(
        seed: UInt64, faults: SimulatedFaults, bug: KernelBug?, slip: WeekSlip?, _ witnesses: WitnessCount, at: @escaping (UInt64) -> Void
    ) {
        self.seed = seed
        self.faults = faults
        self.slip = slip
        self.witnesses = witnesses
        whereabouts = at
        endsByError = seed % 2 == 1
        random = SimulatedRandom(seed: seed ^ 0x3EE7)
        let port = SimulatedPort(seed: seed, faults: faults)
        let news = News()
        let parts = WeekPorts(port, bug, seed: seed, news)
        self.port = port
        (rest, loop) = (parts.rest, parts.makeLoop(Week.limits))
        ops = loop.operationsOnThisThread()
        began = port.clock.now
        news.week = self
        rest.isAboutToSleep = { [weak self] in self?.checkAtRest() }
        port.whenIdle { [weak self] in self?.idle() ?? .returnEarly }
        makeThings()
    }

    /// Limits that bursts of fibers run into.
    private static var limits: Limits {
        var limits = Limits()
        limits.operationsPerHandleMax = 6
        limits.handlesMax = 64
        limits.packetsPerBatchMax = 4
        limits.jobsPerTurnMax = 16
        limits.timersPerTurnMax = 4
        return limits
    }

    static let nanoseconds: UInt64 = 7 * 24 * 3_600 * 1_000_000_000

    var now: MonotonicInstant { port.clock.now }
    /// Nanoseconds since the week began.
    var elapsed: UInt64 { now.nanoseconds(since: began) }
    var confined: Confined<Week> { Confined(self, of: ops) }
    var grace: UInt64 { Limits().cancelGraceNanoseconds }

    private func makeThings() {
        for permits in [1, 3] { semaphores.append(WeekSemaphore(loop, permits: permits)) }
        for _ in 0..<2 { mutexes.append(WeekMutex(loop)) }
        for _ in 0..<2 { gates.append(WeekGate(loop)) }
        for _ in 0..<2 { queues.append(WeekQueue(ops.makeWaitQueue())) }
        for capacity in [1, 2, 8] { channels.append(WeekChannel(loop, capacity: capacity)) }
        for kind in [WeekLine.Kind.stream, .stream, .device] { if let line = makeLine(kind) { lines.append(line) } }
    }

    // MARK: what is noted

    /// The first thing that is wrong is the one to look at; what follows from it is noise.
    func fail(_ sentence: @autoclosure () -> String) {
        guard failure == nil else { return }
        failure = "seed \(seed), \(Double(elapsed / 1_000) / 1_000_000) s into the week: \(sentence())"
    }

    func require(_ holds: Bool, _ sentence: @autoclosure () -> String) { if !holds { fail(sentence()) } }

    /// Adds to what the same seed must come to again.
    func note(_ me: WeekFiber, _ event: WeekEvent, _ detail: Int = 0) {
        tally.events += 1
        trace.add(elapsed)
        trace.add(UInt64(me.number) << 16 | UInt64(event.rawValue))
        trace.add(UInt64(truncatingIfNeeded: detail))
    }

    /// Says where the week is, for a crash.
    func sayWhere() { whereabouts(elapsed / 1_000_000_000) }
}

/// Something that a week does wrong on purpose, now and then: for tests of the tests.
enum WeekSlip: CaseIterable {
    case keepsPermit
    case losesElement
    case receivesTwice
    case cancelsUnasked
    case losesByte
    case forgetsTimer
    case forgetsFiber
}

/// What happens in a week, for its trace.
enum WeekEvent: UInt8 {
    case began, ended, slept, permit, lock, told, gate, woken, sent, received, read, wrote, device, remote, polled
    case joined, group, scope, yielded, gaveUp, cancelled, timedOut, closed, refused, mischief
}

/// What a week came to.
struct WeekReport: Equatable {
    var failure: String?
    var trace: UInt64 = 0
    var tally = WeekTally()
    /// Virtual nanoseconds that passed.
    var elapsed: UInt64 = 0
    var fibers = 0
    /// Objects of the fibers' that were left behind.
    var left = 0
}

/// What was done in a week, so that one in which nothing happens is found out.
struct WeekTally: Equatable {
    var events = 0
    var steps = [Int](repeating: 0, count: WeekStep.allCases.count)
    var waits = 0
    var cancelled = 0
    var timedOut = 0
    var closed = 0
    var scopesCut = 0
    var operations = 0
    var finished = 0
    var ended = 0
    var stuck = 0
    var refused = 0
    var retires = 0
    var rests = 0
}

/// FNV-1a over words.
struct TraceHash {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ word: UInt64) { value = (value ^ word) &* 0x100_0000_01B3 }
}
