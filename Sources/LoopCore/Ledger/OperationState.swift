// The life of an operation.
//
//             prepare              submit                  deliver                take           drop
//    free ─────────► prepared ─────────► submitted ─────────────► completed ──────────► taken ───────► free
//                      │  │                │     │                    ▲
//                      │  └─ complete ─────┼─────┼────────────────────┘ (inline: the kernel never saw the block)
//                      └─ abandon ► free   │     └─ detach ► orphaned ── deliver ► free
//                                          └─ requestCancel: a request, the state's own payload
//
//    free      → prepared   [Ledger.prepare]
//    prepared  → submitted  [Ledger.submitted, and every verb that owes a packet]
//    prepared  → free       [Ledger.abandon]
//    prepared  → completed  [Ledger.completeInline]
//    submitted → completed  [Ledger.deliver]
//    submitted → orphaned   [Ledger.detach: the grace after a cancel ran out, or the shutdown bound did]
//    orphaned  → free       [Ledger.deliver]; or the loop ends: leaked, counted
//    completed → taken      [Ledger.take: the id is dead, an Outcome owns the memory]
//    completed → free       [Ledger.free, Ledger.takeFacts]
//    completed → prepared   [Ledger.renew: the old id is dead, the memory is the next operation's]
//    taken     → free       [Outcome.deinit]

/// Where an operation is. The machine does no I/O and resumes nobody.
///
/// The completion of a completed operation stands beside it in the record and not in the case: an enum with four words of payload is
/// compared four words at a time, and an operation is asked for its state five times (measured: 30 ns of 140).
enum OperationState {
    case free
    case prepared
    case submitted(CancelProgress)
    case completed
    case taken
    case orphaned
}

/// Whether a submitted operation has been asked to end.
enum CancelProgress: UInt8 {
    case notAsked
    case asked
}

/// What a request to cancel calls for.
enum CancelAction {
    case askPort
    /// The work is done: success beats cancellation.
    case nothingLeftToCancel
}

/// What a packet calls for.
enum DeliverAction {
    case settle
    /// Its waiter gave up long ago: the packet only returns the memory.
    case reclaimOrphan
    /// Nobody owes this packet. Nothing is right: the record belongs to somebody else now.
    case stale
}

extension OperationState {
    var phase: OperationPhase {
        switch self {
        case .free: .free
        case .prepared: .prepared
        case .submitted: .submitted
        case .completed: .completed
        case .taken: .free  // no id leads here, so nobody can ask
        case .orphaned: .orphaned
        }
    }

    @inline(__always)
    mutating func prepare() {
        guard case .free = self else { trapOutOfOrder() }
        self = .prepared
    }

    @inline(__always)
    mutating func submit() throws(OperationError) {
        guard case .prepared = self else { throw refusal(expected: .prepared) }
        self = .submitted(.notAsked)
    }

    @inline(__always)
    mutating func abandon() throws(OperationError) {
        guard case .prepared = self else { throw refusal(expected: .prepared) }
        self = .free
    }

    @inline(__always)
    mutating func complete() throws(OperationError) {
        guard case .prepared = self else { throw refusal(expected: .prepared) }
        self = .completed
    }

    /// A second request is passed on as well: the first may have been refused.
    @inline(__always)
    mutating func requestCancel() throws(OperationError) -> CancelAction {
        switch self {
        case .submitted:
            self = .submitted(.asked)
            return .askPort
        case .completed: return .nothingLeftToCancel
        case .free, .prepared, .taken, .orphaned: throw refusal(expected: .submitted)
        }
    }

    @inline(__always)
    mutating func deliver() -> DeliverAction {
        switch self {
        case .submitted:
            self = .completed
            return .settle
        case .orphaned:
            self = .free
            return .reclaimOrphan
        case .free, .prepared, .completed, .taken: return .stale
        }
    }

    @inline(__always)
    mutating func detach() {
        guard case .submitted = self else { trapOutOfOrder() }
        self = .orphaned
    }

    @inline(__always)
    mutating func take() throws(OperationError) {
        guard case .completed = self else { throw refusal(expected: .completed) }
        self = .taken
    }

    @inline(__always)
    mutating func renew() throws(OperationError) {
        guard case .completed = self else { throw refusal(expected: .completed) }
        self = .prepared
    }

    @inline(__always)
    mutating func drop() {
        guard case .taken = self else { trapOutOfOrder() }
        self = .free
    }

    @inline(__always)
    mutating func free() throws(OperationError) {
        guard case .completed = self else { throw refusal(expected: .completed) }
        self = .free
    }
}

extension OperationState {
    /// Why a caller's move is refused. Out of line, so that the moves stay small.
    @inline(never)
    func refusal(expected: OperationPhase) -> OperationError { .wrongState(expected: expected, found: phase) }

    /// A move that only the ledger itself can get wrong. Out of line, so that the moves stay small.
    @inline(never)
    private func trapOutOfOrder() -> Never {
        trap("The ledger moved a record that was \(phase.name) as it may not be moved. This is a bug of Portloop.")
    }
}

extension OperationPhase {
    /// For sentences; made when printed.
    public var name: String {
        switch self {
        case .free: "free"
        case .prepared: "prepared"
        case .submitted: "submitted"
        case .completed: "completed"
        case .orphaned: "orphaned"
        }
    }
}
