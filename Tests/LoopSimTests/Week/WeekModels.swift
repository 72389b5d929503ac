import LoopCore
import LoopSim

/// What a fiber came to.
struct WeekEnd: Hashable, Sendable {
    let fiber: Int
    let steps: Int
}

/// A fiber, as the model knows it.
final class WeekFiber {
    let number: Int
    /// The fiber whose group it is a child of: it is cancelled with it, and bound by its timeouts.
    let parent: WeekFiber?
    /// Nanoseconds: about how long its waits are.
    let pace: Int
    var random: SimulatedRandom
    /// Nil for a child of a group, and before it is spawned.
    var fiber: Fiber<WeekEnd, Never>?
    var begins = 0
    var end: WeekEnd?
    var wait: WeekWait?
    /// Whose end it waits for.
    var joined: WeekFiber?
    /// Its open timeouts, outermost first.
    var scopes: [WeekScope] = []
    /// Somebody has joined it: the loop watches for its end.
    var isWatched = false
    private var ownCancel: MonotonicInstant?

    init(_ number: Int, parent: WeekFiber?, pace: Int, seed: UInt64) {
        self.number = number
        self.parent = parent
        self.pace = pace
        random = SimulatedRandom(seed: seed &* 1_000_003 &+ UInt64(number))
    }

    func noteCancel(_ now: MonotonicInstant) { ownCancel = ownCancel ?? now }

    /// When it was first asked to end, itself or with its parent.
    var cancelledAt: MonotonicInstant? {
        guard let parents = parent?.cancelledAt else { return ownCancel }
        return ownCancel.map { min($0, parents) } ?? parents
    }

    var isCancelled: Bool { cancelledAt != nil }

    /// The timeout that bounds its waits: of equal ones the outermost.
    var tightest: WeekScope? {
        var tightest = parent?.tightest
        for scope in scopes where scope.deadline < tightest?.deadline ?? .distantFuture { tightest = scope }
        return tightest
    }
}

/// A timeout around some steps, as the model knows it.
final class WeekScope {
    let deadline: MonotonicInstant
    /// A wait was ended by it.
    var isCut = false
    /// A wait was given up on, by it or by the retire of its handle.
    var mayBeCut = false

    init(_ deadline: MonotonicInstant) { self.deadline = deadline }
}

/// A wait that is not for an operation.
struct WeekWait {
    let what: WaitedFor
    let began: MonotonicInstant
    /// When it ends by itself, and whether that is its own deadline or a scope's.
    let deadline: MonotonicInstant?
    let scope: WeekScope?
    /// Whether it takes a place in the loop's table; a wait for a fiber's value does not.
    var isParked = true
    var isShielded = false
}

/// What tasks wait for, and how many do.
class WeekThing {
    var waiters = 0
}

final class WeekSemaphore: WeekThing {
    let semaphore: Semaphore
    let permits: Int
    var held = 0

    init(_ loop: EventLoop, permits: Int) {
        self.permits = permits
        semaphore = Semaphore(on: loop, permits: permits)
    }
}

final class WeekMutex: WeekThing {
    let mutex: AsyncMutex
    let condition: Condition
    var holder: Int?
    /// What is waited for by the condition, and who waits for it.
    var items = 0
    let told = WeekThing()

    init(_ loop: EventLoop) {
        mutex = AsyncMutex(on: loop)
        condition = Condition(on: loop)
    }
}

final class WeekGate: WeekThing {
    let gate: Gate
    var isOpen = false

    init(_ loop: EventLoop) { gate = Gate(on: loop) }
}

final class WeekQueue: WeekThing {
    let queue: WaitQueue
    /// Waiters that were woken and have not come to run since.
    var woken = 0

    init(_ queue: WaitQueue) { self.queue = queue }
}

final class WeekChannel {
    let channel: Channel<WeekElement>
    let senders = WeekThing()
    let receivers = WeekThing()
    /// Accepted and not received, by number.
    var held: Set<Int> = []
    /// Received, while their senders are still to be told that they were accepted.
    var early: [Int] = []
    /// The last element of each sender that was received.
    var latest: [Int: Int] = [:]
    var isFinished = false
    var isClosed = false

    init(_ loop: EventLoop, capacity: Int) { channel = Channel(on: loop, capacity: capacity) }
}

/// A pair of handles, and what has gone from far to near; or a device.
final class WeekLine {
    enum Kind {
        case stream
        case device
    }

    let number: Int
    let kind: Kind
    let near: AssociatedHandle
    let far: AssociatedHandle?
    var sent = 0
    var received = 0
    /// The count of the write under way.
    var beingSent = 0
    var isBeingRead = false
    var isBeingWritten = false
    /// An operation was given up on: it may yet move bytes.
    var isTorn = false
    var retiredAt: MonotonicInstant?

    init(_ number: Int, _ kind: Kind, near: AssociatedHandle, far: AssociatedHandle?) {
        self.number = number
        self.kind = kind
        self.near = near
        self.far = far
    }

    func byte(_ place: Int) -> UInt8 { UInt8(truncatingIfNeeded: place &* 31 &+ place >> 8 &+ number) }
}

/// What an operation does.
enum WeekVerb {
    case read
    case write([UInt8])
    case poll
    case remote(RemoteCancel)
}

/// An operation that somebody waits for.
final class WeekOperation {
    let number: UInt64
    let verb: WeekVerb
    let line: WeekLine
    let isShielded: Bool
    var id: OperationID?
    let began: MonotonicInstant
    let deadline: MonotonicInstant?
    let scope: WeekScope?
    let fiber: WeekFiber
    /// Somebody asked it, or the wait for it, to end.
    var askedAt: MonotonicInstant?
    /// Its remote completion was dropped.
    var isDropped = false
    /// The wait has a bound: it is in the table of the model.
    var isWaiting = false

    init(
        _ number: UInt64, _ verb: WeekVerb, _ line: WeekLine, _ fiber: WeekFiber, isShielded: Bool, _ now: MonotonicInstant,
        deadline: MonotonicInstant?, scope: WeekScope?
    ) {
        self.number = number
        self.verb = verb
        self.line = line
        self.fiber = fiber
        self.isShielded = isShielded
        self.deadline = deadline
        self.scope = scope
        began = now
    }

    /// When it was first asked to end, by whatever a wait listens to.
    var cause: MonotonicInstant? {
        var causes = [deadline, askedAt]
        if !isShielded { causes.append(fiber.cancelledAt) }
        return causes.compactMap { $0 }.min().map { max($0, began) }
    }

    /// Whether somebody else than its deadline had asked the wait to end by then. A retire asks the operation alone.
    func isAsked(by instant: MonotonicInstant) -> Bool {
        [askedAt, fiber.cancelledAt].contains { $0.map { $0 <= instant } ?? false }
    }

    var isRemote: Bool {
        if case .remote = verb { true } else { false }
    }
}
