import Testing

@testable import LoopCore

@Suite("Kinds that hand facts over") struct FactsKindTests {
    @Test("The loop ends each operation, and then hands over its tag and what its packet said") func handedOver() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let seen = Seen()
            let kind = try makeKind(bench, handle, seen)
            for capacity in [0, 64, 16_384, 16_385, 1 << 20] {
                let id = try begin(bench, kind, tag: UInt64(capacity), capacity: capacity)
                try post(bench, id, Completion(count: 7))
                #expect(try bench.ops.state(id) == .submitted)
                bench.loop.turn(.poll)
                #expect(seen.tags.last == UInt64(capacity) && seen.completions.last == Completion(count: 7))
                #expect(throws: OperationError.staleID) { try bench.ops.state(id) }
                try bench.ops.checkInvariants()
            }
            #expect(seen.tags.count == 5 && bench.ops.ledger.counts.inFlight == 0)
        }
    }

    @Test("Its function may begin the next operation, in the same memory") func again() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let tally = Tally()
            var kind: OperationKind?
            var left = 100
            func next() {
                guard left > 0, let kind else { return }
                left -= 1
                do {
                    let id = try begin(bench, kind, tag: 1, capacity: 0)
                    try post(bench, id, Completion(count: left))
                } catch { Issue.record(error) }
            }
            kind = try bench.ops.kind(on: handle) { _, facts in
                #expect(facts.count == left)
                tally.add(1)
                next()
            } stuck: { _ in
                Issue.record("nothing is stuck")
            }
            bench.ops.call(at: MonotonicInstant(nanoseconds: 0), next)
            while tally.value < 100 { bench.loop.turn(.poll) }
            #expect(bench.ops.ledger.slab.indexCount == 1)
        }
    }

    @Test("A cancelled operation is handed over as its packet says, and one whose driver is silent as stuck") func ends() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let seen = Seen()
            let kind = try makeKind(bench, handle, seen)
            let first = try begin(bench, kind, tag: 1, capacity: 0)
            _ = try bench.ops.cancel(first)
            bench.loop.turn(.poll)
            #expect(seen.tags == [1] && seen.completions.last?.severity == .aborted)
            bench.port.driver = .stuck
            let second = try begin(bench, kind, tag: 2, capacity: 0)
            let cell = try bench.ops.ledger.find(second)
            _ = try bench.ops.cancel(second)
            bench.turnPast(Limits().cancelGraceNanoseconds)
            #expect(seen.tags == [1] && seen.stuck == [2])
            // SAFETY: the block is the operation's, late.
            unsafe bench.ops.forgePacket(cell.block, Completion(count: 0))
            bench.loop.turn(.poll)
            #expect(seen.tags == [1] && bench.ops.ledger.counts.orphaned == 0)
        }
    }

    @Test("What is under way when its handle retires is handed over before the retire is") func retired() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let seen = Seen()
            let kind = try makeKind(bench, handle, seen)
            _ = try begin(bench, kind, tag: 1, capacity: 0)
            _ = try begin(bench, kind, tag: 2, capacity: 0)
            try bench.ops.retire(handle) { _ in seen.tags.append(99) }
            bench.loop.turn(.poll)
            bench.loop.turn(.poll)
            #expect(Set(seen.tags.prefix(2)) == [1, 2] && seen.tags.last == 99)
            #expect(throws: OperationError.notAssociated) { try begin(bench, kind, tag: 3, capacity: 0) }
        }
    }

    @Test("A preparation is submitted by what it returned, once, while it is one, and on its own loop") func byMemory() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let kind = try makeKind(bench, handle, Seen())
            // SAFETY: no native call is made; the packets are the test's.
            for capacity in [0, 16_384, 1 << 20] {
                let memory = unsafe try bench.ops.prepare(kind, capacity: capacity)
                unsafe try bench.ops.submitted(memory)
                let id = unsafe memory.id
                #expect(throws: OperationError.wrongState(expected: .prepared, found: .submitted)) {
                    unsafe try bench.ops.submitted(memory)
                }
                try post(bench, id, Completion(count: 0))
                bench.loop.turn(.poll)
                #expect(throws: OperationError.staleID) { unsafe try bench.ops.submitted(memory) }
                try Bench.run { other in
                    #expect(throws: OperationError.foreignID) { unsafe try other.ops.submitted(memory) }
                }
            }
        }
    }

    /// What a kind was told.
    private final class Seen {
        var tags: [UInt64] = []
        var completions: [Completion] = []
        var stuck: [UInt64] = []
    }

    private func makeKind(_ bench: Bench, _ handle: AssociatedHandle, _ seen: Seen) throws(OperationError) -> OperationKind {
        try bench.ops.kind(on: handle) { tag, facts in
            seen.tags.append(tag)
            seen.completions.append(facts)
        } stuck: {
            seen.stuck.append($0.tag)
        }
    }

    // SAFETY: no native call is made; the packet is the test's, or the driver's of the bench.
    private func begin(_ bench: Bench, _ kind: OperationKind, tag: UInt64, capacity: Int) throws(OperationError) -> OperationID {
        let memory = unsafe try bench.ops.prepare(kind, tag: tag, capacity: capacity)
        unsafe try bench.ops.submitted(memory)
        return unsafe memory.id
    }

    // SAFETY: the block is the operation's.
    private func post(_ bench: Bench, _ id: OperationID, _ completion: Completion) throws {
        unsafe bench.ops.forgePacket(try bench.ops.ledger.find(id).block, completion)
    }
}
