internal import LoopCore

// The life of an operation inside the simulated kernel. The ledger's own is longer: it begins before and ends after.
//
//    starting ──work done at once──► finished ──packet handed out──► (gone)
//        │                              ▲
//        ├── nothing there yet ──► parked ──work done, or aborted
//        └── the driver loses it ─► stuck ──releaseStuck
//
//    starting → finished  [SimulatedKernel.finish, called from within start]
//    starting → parked    [SimulatedKernel.start]
//    starting → stuck     [SimulatedKernel.start]
//    parked   → finished  [SimulatedKernel.finish: served by its object, or aborted by a cancel, a close, the number's next owner]
//    stuck    → finished  [SimulatedKernel.releaseStuck]
//    finished → gone      [SimulatedKernel.handOut]

/// One operation that the simulated kernel works on.
final class SimulatedOperation {
    let memory: LentMemory
    let verb: SimulatedVerb
    let fate: Fate
    /// What the handle named when the operation began. The number may name something else by now (C13).
    var object: SimulatedObject
    /// Its place among all operations of the port, by when they began.
    let order: UInt64
    var phase = Phase.starting
    /// Bytes moved so far by a write that does not fit at once.
    var moved = 0
    /// A cancel is on its way to it.
    var isEnding = false
    /// The work does not begin before.
    var notBefore = MonotonicInstant(nanoseconds: 0)

    init(_ verb: SimulatedVerb, _ memory: LentMemory, _ object: SimulatedObject, _ fate: Fate, order: UInt64) {
        self.order = order
        self.memory = memory
        self.verb = verb
        self.object = object
        self.fate = fate
    }

    enum Phase {
        case starting
        case parked
        case stuck
        case finished(Completion)
    }

    var isFinished: Bool {
        if case .finished = phase { return true }
        return false
    }
}

/// What an operation is to do.
enum SimulatedVerb {
    case read(FileOffset?)
    case write([Range<Int>], FileOffset?)
    case receive
    case send(Int)
    case accept
    case connect
    case poll(Readiness)
    case attempt(Direction?, (NativeHandle) -> AttemptResult)
    /// An adapter's own native call: the object does nothing for it, the test does.
    case native

    /// Which queue of its object it waits in. An attempt that names no direction begins as a read; each moves when its function says so.
    var lane: Lane {
        switch self {
        case .read, .receive, .accept, .attempt(nil, _), .attempt(.read, _), .native: .reads
        case .write, .send, .connect, .attempt(.write, _): .writes
        case .poll: .polls
        }
    }

    /// Whether a test may complete it with bytes. An attempt fetches its own, and the others have none.
    var takesBytesByHand: Bool {
        if case .native = self { return true }
        return isInput
    }

    /// Whether bytes come in.
    var isInput: Bool {
        switch self {
        case .read, .receive: true
        case .write, .send, .accept, .connect, .poll, .attempt, .native: false
        }
    }
}

/// The queues in which operations wait at an object. Reads do not wait for writes, and nobody waits for a poll.
enum Lane: UInt8 {
    case reads
    case writes
    case polls
}

/// What the faults have in store for one operation, drawn when it starts.
enum Fate: UInt8 {
    case ordinary
    case stuck
    case short
    case empty
    case timeout
    case warning
    case failing

    /// How many of `available` bytes the operation moves.
    func share(of available: Int) -> Int {
        switch self {
        case .ordinary, .timeout, .warning, .stuck: available
        case .short: (available + 1) / 2
        case .failing: available / 2
        case .empty: 0
        }
    }

    /// The status that bytes arrive with.
    var status: SimulatedStatus {
        switch self {
        case .ordinary, .short, .empty, .stuck: .success
        case .timeout: .timeout
        case .warning: .moreData
        case .failing: .deviceError
        }
    }

    /// Whether the operation ends although there is nothing for it.
    var needsNothing: Bool { self == .empty || self == .timeout || self == .failing }
}

extension SimulatedRandom {
    /// Draws what will become of an operation.
    mutating func fate(_ verb: SimulatedVerb, _ faults: SimulatedFaults) -> Fate {
        if happens(faults.getsStuck) { return .stuck }
        if happens(faults.failsLate) { return .failing }
        switch verb {
        case .read, .receive:
            if happens(faults.shortReads) { return .short }
            if happens(faults.emptyReads) { return .empty }
            if happens(faults.timeoutStatuses) { return .timeout }
            if happens(faults.warningStatuses) { return .warning }
        case .write, .send, .accept, .connect, .poll, .attempt, .native: break
        }
        return .ordinary
    }
}
