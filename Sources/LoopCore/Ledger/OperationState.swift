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
//    completed → free       [Ledger.free]
//    taken     → free       [Outcome.deinit]

/// Where an operation is, with the data of that state. The machine does no I/O and resumes nobody.
enum OperationState {
    case free
    case prepared
    case submitted(CancelProgress)
    case completed(Completion)
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

    mutating func prepare() {
        guard case .free = self else { trap("A record taken from the free list was \(phase.name), not free.") }
        self = .prepared
    }

    mutating func submit() throws(OperationError) {
        guard case .prepared = self else { throw .wrongState(expected: .prepared, found: phase) }
        self = .submitted(.notAsked)
    }

    mutating func abandon() throws(OperationError) {
        guard case .prepared = self else { throw .wrongState(expected: .prepared, found: phase) }
        self = .free
    }

    mutating func complete(_ completion: Completion) throws(OperationError) {
        guard case .prepared = self else { throw .wrongState(expected: .prepared, found: phase) }
        self = .completed(completion)
    }

    /// A second request is passed on as well: the first may have been refused.
    mutating func requestCancel() throws(OperationError) -> CancelAction {
        switch self {
        case .submitted:
            self = .submitted(.asked)
            return .askPort
        case .completed: return .nothingLeftToCancel
        case .free, .prepared, .taken, .orphaned: throw .wrongState(expected: .submitted, found: phase)
        }
    }

    mutating func deliver(_ completion: Completion) -> DeliverAction {
        switch self {
        case .submitted:
            self = .completed(completion)
            return .settle
        case .orphaned:
            self = .free
            return .reclaimOrphan
        case .free, .prepared, .completed, .taken: return .stale
        }
    }

    mutating func detach() {
        guard case .submitted = self else { trap("Only a submitted operation can be orphaned; this one is \(phase.name).") }
        self = .orphaned
    }

    mutating func take() throws(OperationError) -> Completion {
        guard case .completed(let completion) = self else { throw .wrongState(expected: .completed, found: phase) }
        self = .taken
        return completion
    }

    mutating func drop() {
        guard case .taken = self else { trap("Only a taken result can be dropped; this one is \(phase.name).") }
        self = .free
    }

    mutating func free() throws(OperationError) -> Completion {
        guard case .completed(let completion) = self else { throw .wrongState(expected: .completed, found: phase) }
        self = .free
        return completion
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
