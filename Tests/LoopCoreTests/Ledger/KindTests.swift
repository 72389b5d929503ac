import Testing

@testable import LoopCore

@Suite("Kinds of operation") struct KindTests {
    @Test("A kind is told of each operation that was submitted, once, by its id") func told() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let told = Tally()
            let kind = try bench.ops.kind(on: handle) { id, end in
                #expect(end == .finished)
                #expect((try? bench.ops.takeFacts(id))?.count == 7)
                told.add(1)
            }
            for round in 1...3 {
                try begin(bench, kind, posting: Completion(count: 7))
                bench.loop.turn(.poll)
                #expect(told.value == round)
            }
        }
    }

    @Test("Of an operation that finished inline, was abandoned, or was never submitted, nobody is told") func notTold() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let kind = try bench.ops.kind(on: handle) { _, _ in Issue.record("nobody waits") }
            try abandon(bench, prepare(bench, kind))
            bench.loop.turn(.poll)
            try bench.ops.checkInvariants()
        }
    }

    @Test("A submitted operation of a kind has its waiter, and takes no other") func oneWaiter() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let kind = try bench.ops.kind(on: handle) { id, _ in _ = try? bench.ops.takeFacts(id) }
            let id = try begin(bench, kind, posting: nil)
            #expect(throws: OperationError.alreadyAwaited) { try bench.ops.onCompletion(id) { _, _ in } }
            try bench.ops.checkInvariants()
            try post(bench, id, Completion(count: 0))
            bench.loop.turn(.poll)
        }
    }

    @Test("A cancelled operation of a kind ends as cancelled, and one whose driver is silent as stuck") func ends() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            var seen: [WaitEnd] = []
            let kind = try bench.ops.kind(on: handle) { id, end in
                seen.append(end)
                _ = try? bench.ops.takeFacts(id)
            }
            let first = try begin(bench, kind, posting: nil)
            _ = try bench.ops.cancel(first)
            bench.loop.turn(.poll)
            #expect(seen == [.cancelled])
            bench.port.driver = .stuck
            let second = try begin(bench, kind, posting: nil)
            let cell = try bench.ops.ledger.find(second)
            _ = try bench.ops.cancel(second)
            bench.turnPast(Limits().cancelGraceNanoseconds)
            guard case .stuck = seen.last else {
                Issue.record("the driver is silent")
                return
            }
            try post(bench, cell, Completion(count: 0))
            bench.loop.turn(.poll)
        }
    }

    @Test("A retired handle's kinds are refused, and let go of their functions") func retired() throws {
        let gone = Tally()
        try Bench.run { bench in
            let handle = try bench.associate()
            let kind: OperationKind
            do {
                let witness = Witness(gone)
                kind = try bench.ops.kind(on: handle) { _, _ in witness.stay() }
            }
            #expect(gone.value == 0)
            try bench.ops.retire(handle)
            #expect(throws: OperationError.notAssociated) { try prepare(bench, kind) }
            bench.loop.turn(.poll)
            #expect(gone.value == 1)
        }
        #expect(gone.value == 1)
    }

    @Test("A kind outlives the call that retires its own handle") func retiredWithin() throws {
        let gone = Tally()
        try Bench.run { bench in
            let handle = try bench.associate()
            let kind: OperationKind
            do {
                let witness = Witness(gone)
                kind = try bench.ops.kind(on: handle) { id, _ in
                    _ = try? bench.ops.takeFacts(id)
                    try? bench.ops.retire(handle)
                    #expect(gone.value == 0)
                    witness.stay()
                }
            }
            try begin(bench, kind, posting: Completion(count: 0))
            bench.loop.turn(.poll)
            #expect(gone.value == 1)
        }
    }

    @Test("A shutdown lets go of kinds whose handles nobody has retired") func shutDown() throws {
        let gone = Tally()
        let bench = try Bench(Limits())
        let handle = try bench.ops.associate(NativeHandle(rawValue: 5))
        do {
            let witness = Witness(gone)
            _ = try bench.ops.kind(on: handle) { _, _ in witness.stay() }
        }
        bench.loop.shutdown()
        #expect(gone.value == 1)
        #expect(throws: OperationError.closed) { try bench.ops.kind(on: handle) { _, _ in } }
    }

    @Test("A kind of another loop is refused") func foreign() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let kind = try bench.ops.kind(on: handle) { _, _ in }
            try Bench.run { other in
                _ = try other.associate()
                #expect(throws: OperationError.notAssociated) { try prepare(other, kind) }
            }
        }
    }

    @Test("The dump names the line that made the kind") func dumped() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let line = #line + 1
            let kind = try bench.ops.kind(on: handle) { id, _ in _ = try? bench.ops.takeFacts(id) }
            let id = try prepare(bench, kind, tag: 9)
            let dump = try #require(bench.ops.dump().operations.first)
            #expect(Int(dump.line) == line && dump.tag == 9 && dump.file.hasSuffix("KindTests.swift"))
            try abandon(bench, id)
        }
    }

    @Test("Facts are taken of a small and of a large operation alike, and once") func facts() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            for capacity in [0, 64, 1 << 20] {
                let id = try bench.prepare(handle, capacity: capacity)
                try submit(bench, id)
                #expect(throws: OperationError.wrongState(expected: .completed, found: .submitted)) { try bench.ops.takeFacts(id) }
                try post(bench, id, Completion(count: 3))
                bench.loop.turn(.poll)
                #expect(try bench.ops.takeFacts(id).count == 3)
                #expect(throws: OperationError.staleID) { try bench.ops.takeFacts(id) }
                try bench.ops.checkInvariants()
            }
        }
    }

    /// Submits an operation of the kind, and queues its packet if there is one.
    @discardableResult
    private func begin(_ bench: Bench, _ kind: OperationKind, posting completion: Completion?) throws -> OperationID {
        let id = try prepare(bench, kind)
        try submit(bench, id)
        if let completion { try post(bench, id, completion) }
        return id
    }

    // SAFETY: the memory is left to the port.
    @discardableResult
    private func prepare(_ bench: Bench, _ kind: OperationKind, tag: UInt64 = 0) throws(OperationError) -> OperationID {
        unsafe try bench.ops.prepare(kind, tag: tag).id
    }

    // SAFETY: no native call is made; the packet is the test's.
    private func submit(_ bench: Bench, _ id: OperationID) throws { unsafe try bench.ops.submitted(id) }

    // SAFETY: no native call is made.
    private func abandon(_ bench: Bench, _ id: OperationID) throws { unsafe try bench.ops.abandon(id) }

    private func post(_ bench: Bench, _ id: OperationID, _ completion: Completion) throws {
        try post(bench, bench.ops.ledger.find(id), completion)
    }

    // SAFETY: the block is the operation's.
    private func post(_ bench: Bench, _ cell: Cell, _ completion: Completion) throws {
        unsafe bench.ops.forgePacket(cell.block, completion)
    }
}
