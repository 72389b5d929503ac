import Testing

@testable import LoopCore

@Suite("The states of an operation") struct OperationStateTests {
    private static let all: [OperationState] = [
        .free, .prepared, .submitted(.notAsked), .submitted(.asked), .completed, .taken, .orphaned,
    ]

    /// An event that refuses with a typed error: where it is allowed, and what it then leads to.
    private struct Event: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let expected: OperationPhase
        let leadsTo: OperationPhase
        let send: @Sendable (inout OperationState) throws(OperationError) -> Void
    }

    private static let events = [
        Event(testDescription: "submit", expected: .prepared, leadsTo: .submitted) { state throws(OperationError) in try state.submit() },
        Event(testDescription: "abandon", expected: .prepared, leadsTo: .free) { state throws(OperationError) in try state.abandon() },
        Event(testDescription: "complete", expected: .prepared, leadsTo: .completed) { state throws(OperationError) in try state.complete()
        },
        Event(testDescription: "take", expected: .completed, leadsTo: .free) { state throws(OperationError) in try state.take() },
        Event(testDescription: "free", expected: .completed, leadsTo: .free) { state throws(OperationError) in try state.free() },
    ]

    @Test("Each event moves the one state it is for, and names what it expected and found in any other", arguments: events)
    private func refusals(event: Event) throws {
        for before in OperationStateTests.all {
            var state = before
            // `taken` shows itself as free, for no id leads there: it is never the state an event is for.
            if before.phase == event.expected {
                try event.send(&state)
                #expect(state.phase == event.leadsTo)
            } else {
                #expect(throws: OperationError.wrongState(expected: event.expected, found: before.phase)) { try event.send(&state) }
                #expect(isSame(state, before))
            }
        }
    }

    @Test("A cancel is passed on while submitted, again too, and nothing once completed; it changes no phase") func cancels() throws {
        for before in OperationStateTests.all {
            var state = before
            switch before {
            case .submitted:
                #expect(try state.requestCancel() == .askPort)
                guard case .submitted(.asked) = state else {
                    Issue.record("a cancel is the state's own payload")
                    continue
                }
            case .completed:
                #expect(try state.requestCancel() == .nothingLeftToCancel)
                #expect(isSame(state, before))
            case .free, .prepared, .taken, .orphaned:
                #expect(throws: OperationError.wrongState(expected: .submitted, found: before.phase)) { _ = try state.requestCancel() }
                #expect(isSame(state, before))
            }
        }
    }

    @Test("A packet settles what was submitted, reclaims an orphan, and is stale anywhere else") func packets() {
        for before in OperationStateTests.all {
            var state = before
            switch before {
            case .submitted:
                #expect(state.deliver() == .settle)
                #expect(state.phase == .completed)
            case .orphaned:
                #expect(state.deliver() == .reclaimOrphan)
                #expect(isSame(state, .free))
            case .free, .prepared, .completed, .taken:
                #expect(state.deliver() == .stale)
                #expect(isSame(state, before))
            }
        }
    }

    @Test("The ledger's own moves go from their one state") func ownMoves() {
        var state = OperationState.free
        state.prepare()
        #expect(isSame(state, .prepared))
        state = .submitted(.asked)
        state.detach()
        #expect(isSame(state, .orphaned))
        state = .taken
        state.drop()
        #expect(isSame(state, .free))
    }

    @Test("A move that only the ledger can get wrong ends the process with a sentence") func ownMistakes() async {
        let prepared = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var state = OperationState.completed
            state.prepare()
        }
        expectSentence("that was completed as it may not be moved. This is a bug of Portloop.", in: prepared)
        let detached = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var state = OperationState.prepared
            state.detach()
        }
        expectSentence("that was prepared as it may not be moved", in: detached)
        let dropped = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var state = OperationState.completed
            state.drop()
        }
        expectSentence("that was completed as it may not be moved", in: dropped)
    }

    private func isSame(_ one: OperationState, _ other: OperationState) -> Bool {
        switch (one, other) {
        case (.free, .free), (.prepared, .prepared), (.completed, .completed), (.taken, .taken), (.orphaned, .orphaned): true
        case (.submitted(let first), .submitted(let second)): first == second
        default: false
        }
    }
}
