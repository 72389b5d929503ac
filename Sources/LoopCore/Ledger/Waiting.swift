// Who waits for an operation, and how far the wait has come.
//
//    none ──wait──► waiting ──deadline or cancel──► ending ──grace──► (stuck: the operation is orphaned)
//     ▲                │                              │
//     └────────────────┴──────── packet ──────────────┘
//
//    none    → waiting  [Core.wait, or the submission of an operation of a kind; straight on to ending where the operation has been
//                        asked to end already]
//    waiting → ending   [Core.end, Core.cancel]
//    waiting → none     [Core.resume, after the packet]
//    ending  → none     [Core.resume, after the packet; Core.giveUp, after the grace]

/// Who is told, and the timer that bounds the wait. Most operations look at neither: their kind is told, and nothing bounds them.
struct Waiting {
    fileprivate var waiter: Waiter?
    /// The deadline while waiting, the grace while ending.
    fileprivate(set) var timer: TimerID?

    /// For checks.
    var hasWaiter: Bool {
        if case .none = waiter { false } else { true }
    }
}

/// The wait for an operation.
///
/// Stage and waiter stand side by side for the reason that `OperationState` gives: the stage is asked for often, the waiter moved once.
extension Record {
    @inline(__always)
    mutating func beginWait(_ waiter: consuming Waiter?, deadline: TimerID?) {
        stage = .waiting
        waiting.waiter = waiter
        // Most waits have none, and it is nil between waits.
        if let deadline { waiting.timer = deadline }
    }

    /// The wait has begun, and this is who waits.
    @inline(__always)
    mutating func setWaiter(_ waiter: consuming Waiter) { waiting.waiter = waiter }

    /// The operation's kind waits, if it has one.
    @inline(__always)
    mutating func beginWaitForKind() { if kind != nil { stage = .waitingForKind } }

    /// Ends a wait that is a kind's and that nothing bounds.
    @inline(__always)
    mutating func endWaitForKind() { stage = .none }

    /// A cancel was asked for; the packet has until `grace`.
    mutating func endWait(_ cause: EndCause, grace: TimerID) {
        stage = .ending(cause)
        waiting.timer = grace
    }

    /// The grace is another timer's now.
    mutating func prolongWait(_ grace: TimerID) { waiting.timer = grace }

    /// Takes the waiter out: whoever holds it now tells it. Where nobody is entered it is the kind that waits.
    @inline(__always)
    mutating func takeWaiter() -> Waiter? {
        if case .none = stage { return nil }
        stage = .none
        if waiting.timer != nil { waiting.timer = nil }
        return waiting.waiter.take() ?? kind.map { .kind($0) }
    }
}

/// How far the one wait for an operation has come.
enum WaitStage {
    case none
    case waiting
    /// As waiting; it is the operation's kind that is told.
    case waitingForKind
    case ending(EndCause)

    /// Whether somebody waits and nobody has asked for the end.
    @inline(__always)
    var isWaiting: Bool {
        switch self {
        case .waiting, .waitingForKind: true
        case .none, .ending: false
        }
    }

    /// Why the end was asked for, if it was.
    var cause: EndCause? {
        if case .ending(let cause) = self { cause } else { nil }
    }

    /// For checks.
    var isNone: Bool {
        if case .none = self { true } else { false }
    }
}

/// Why a wait asks its operation to end.
enum EndCause: UInt8 {
    case timedOut
    case cancelled
}

/// How a wait ended, beside what the packet said.
///
/// A read that brought valid bytes is ``finished`` whatever came first: success beats the cancel and the deadline (clause C3).
public enum WaitEnd: Hashable, Sendable {
    /// The packet settled it.
    case finished
    /// The deadline passed, the operation was cancelled, and the packet says that it ended for that.
    case timedOut
    /// The operation or the task that waits for it was cancelled, and the packet says that the operation ended for that.
    case cancelled
    /// No packet came within the grace after a cancel: the driver holds the operation. The ledger keeps its memory (clause C8).
    case stuck(StuckOperation)
}

/// What a driver did not give back.
public struct StuckOperation: Hashable, Sendable {
    /// The handle it was on.
    public let handle: NativeHandle
    /// The tag it was prepared with.
    public let tag: UInt64
    /// How long ago it was prepared.
    public let ageNanoseconds: UInt64
    /// What was first to ask for its end; nil where only the loop's own end did.
    let cause: EndCause?
}

/// Whom to tell.
enum Waiter {
    case callback((OperationID, WaitEnd) -> Void)
    case task(SuspendedTask)
    case kind(KindRef)
}

/// What is to be told beside the completions, once the present batch has been settled.
enum Notice {
    /// Given up on: the record keeps the kernel's memory and nothing else.
    case stuck(Waiter, OperationID, StuckOperation, timer: TimerID?)
    /// A handle is its caller's again; the timer that bounded the wait is to be cancelled.
    case retired(RetireWaiter?, RetireReport, grace: TimerID?)
    /// Kinds that their handle has dropped. They are let go of here: what they hold may be the last of an object that calls back.
    case dropped([Sink])
}
