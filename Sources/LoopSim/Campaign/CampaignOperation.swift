internal import LoopCore

/// One operation of a campaign as the model knows it.
final class CampaignOperation {
    let id: OperationID
    let line: CampaignLine
    let tag: UInt64
    let capacity: Int
    var memory: LentMemory?
    var phase = OperationPhase.prepared
    var kind = Kind.plain
    /// Whether the completion speaks of bytes in the buffer.
    var isReceiving = false
    /// It is of its line's kind, which waits for it from the moment it is submitted.
    var isOfKind = false
    /// Bytes that an `attempt` read or wrote by itself.
    var attempted: [UInt8] = []
    /// Where a file's read or write is.
    var offset = 0
    /// Its number among the writes of its line.
    var write = 0
    var wanted = 0

    /// What its packet said, and the counted bytes of its buffer at that moment.
    var packet: Completion?
    var bytes: [UInt8] = []

    var isAwaited = false
    var timesTold = 0
    var deadline: MonotonicInstant?
    var then = FollowUp.nothing
    /// The cancel at the deadline, the end at the grace, and the word to the waiter after the packet.
    var promise: Promise?
    var isEnding = false
    var isWaitCancelled = false
    /// A cancel was accepted while it was submitted. Every wait for it, a later one too, has the grace and no longer.
    var isCancelled = false
    /// Where the model knows when the grace began: it ends no earlier.
    var graceEnd: MonotonicInstant?

    enum Kind {
        case plain
        case read
        case write
        case attempt
        case native
        case remote
        case inline
    }

    init(_ id: OperationID, _ line: CampaignLine, tag: UInt64, capacity: Int) {
        self.id = id
        self.line = line
        self.tag = tag
        self.capacity = capacity
    }

    /// Where its packet will come from: known from the verb on, or from the post of a remote completion.
    var block: UInt { kind == .remote ? remoteBlock : memory?.blockAddress ?? 0 }
    var remoteBlock: UInt = 0

    /// Whether its record has a waiter: one that was given up on has lost it, perhaps before that was told.
    var hasWaiter: Bool { isAwaited && phase != .orphaned }

    /// Its native call was made when the retire of its handle had nothing to wait for any more, and was about to be told.
    var isTooLate = false

    /// Whether it has been asked to end by whom it is said to: its user, or the retire of its handle.
    var isAskedToEnd: Bool { isCancelled || line.phase != .associated }

    /// Half of the operations may finish inline.
    var inline: InlineCompletion { tag % 2 == 0 ? .allowed : .never }

    /// Its packet is here: the bytes it counts are what they will stay.
    func settle(_ completion: Completion) {
        packet = completion
        bytes = memory?.bytes(0..<max(0, completion.count)) ?? []
    }

    /// What the result must show: bytes only of what was received without an error (C4).
    var exposed: [UInt8] {
        guard let packet, isReceiving, packet.severity == .success || packet.severity == .warning else { return [] }
        return bytes
    }

    var possiblyLost: Int {
        guard let packet, isReceiving, packet.severity == .error || packet.severity == .aborted else { return 0 }
        return packet.count
    }
}

/// A result that is kept for a while: its bytes must stay what they were.
final class HeldOutcome {
    let bytes: [UInt8]
    private let outcome: Outcome

    init(_ outcome: consuming Outcome, _ bytes: [UInt8]) {
        self.bytes = bytes
        self.outcome = outcome
    }

    var isIntact: Bool { outcome.copyBytes() == bytes }
}
