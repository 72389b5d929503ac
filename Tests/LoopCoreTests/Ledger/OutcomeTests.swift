import Testing

@testable import LoopCore

@Suite("Outcomes") struct OutcomeTests {
    @Test("Its bytes are there until it is dropped, whatever the operation's id has come to") func bytes() throws {
        try Bench.run { bench in
            let id = try bench.read(bench.associate())
            bench.port.finish(try bench.request, bytes: [1, 2, 3])
            bench.settle()
            let outcome = try bench.ops.result(id)
            #expect(throws: OperationError.staleID) { _ = try bench.ops.state(id) }
            #expect(outcome.copyBytes() == [1, 2, 3])
            #expect(outcome.withBytes { $0.byteCount } == 3)
            #expect(outcome.count == 3 && outcome.error == .none && outcome.end == .finished)
        }
    }

    @Test("Its memory is reused when it has been dropped, and not before") func givenBack() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let first = try bench.read(handle)
            bench.port.finish(try bench.request, bytes: [9])
            bench.settle()
            do {
                let outcome = try bench.ops.result(first)
                let second = try bench.prepare(handle, capacity: 16)
                #expect(second.index != first.index)
                #expect(outcome.copyBytes() == [9])
                // SAFETY: no native call was made.
                unsafe try bench.ops.abandon(second)
            }
            #expect(freeIndices(bench, 16).contains(first.index))
        }
    }

    @Test("One that is dropped after the shutdown gives its memory back") func afterShutdown() throws {
        let bench = try Bench(Limits())
        let id = try bench.read(bench.associate())
        bench.port.finish(try bench.request, bytes: [4])
        bench.settle()
        do {
            let outcome = try bench.ops.result(id)
            bench.loop.shutdown()
            #expect(outcome.copyBytes() == [4])
        }
        #expect(freeIndices(bench, 16).contains(id.index))
    }

    @Test("One that outlives its loop keeps its bytes") func withoutLoop() throws {
        var outcome = try lastOutcome()
        #expect(outcome.copyBytes() == [7, 8])
        outcome = try lastOutcome()
        #expect(outcome.count == 2)
    }

    @Test("The slab of a ledger that has ended goes with the last outcome, and no sooner") func lastOne() throws {
        weak var slab: Slab?
        do {
            var bench: Bench? = try Bench(Limits())
            let ids = try (1...2).map { try finishedRead(#require(bench), [UInt8($0)]) }
            slab = bench?.loop.core.ledger.slab
            let last = try #require(bench).ops.result(ids[1])
            do {
                let first = try #require(bench).ops.result(ids[0])
                bench = nil
                #expect(first.copyBytes() == [1])
            }
            #expect(slab != nil)
            #expect(last.copyBytes() == [2])
        }
        #expect(slab == nil)
    }

    private func lastOutcome() throws -> Outcome {
        let bench = try Bench(Limits())
        return try bench.ops.result(finishedRead(bench, [7, 8]))
    }

    private func finishedRead(_ bench: Bench, _ bytes: [UInt8]) throws -> OperationID {
        let id = try bench.read(bench.associate())
        bench.port.finish(try bench.request, bytes: bytes)
        bench.settle()
        return id
    }

    @Test("A count above the capacity shows no byte beyond the buffer, and one below zero shows none", arguments: [(99, 4), (-1, 0)])
    func lyingCount(count: Int, shown: Int) throws {
        try Bench.run { bench in
            let id = try bench.read(bench.associate(), capacity: 4)
            bench.port.finish(try bench.request, Completion(count: count))
            bench.settle()
            #expect(try bench.ops.result(id).copyBytes().count == shown)
        }
    }

    @Test("Bytes of a failed read stay hidden and are counted as possibly lost, unless the driver delivers them")
    func failed() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            for (worth, shown, lost) in [(BytesOnError.withheld, 0, 2), (.delivered, 2, 0)] {
                // SAFETY: the memory is left to the port.
                let id = unsafe try bench.ops.prepare(handle, capacity: 8, bytesOnError: worth).id
                try bench.ops.read(id)
                bench.port.finish(try bench.request, Completion(count: 2, error: SystemCode(rawValue: 5), severity: .error))
                bench.settle()
                let outcome = try bench.ops.result(id)
                #expect(outcome.copyBytes().count == shown && outcome.possiblyLost == lost && outcome.count == 2)
            }
        }
    }

    @Test("A warning shows its bytes") func warning() throws {
        try Bench.run { bench in
            let id = try bench.read(bench.associate())
            bench.port.finish(try bench.request, Completion(count: 3, error: SystemCode(rawValue: 234), severity: .warning))
            bench.settle()
            let outcome = try bench.ops.result(id)
            #expect(outcome.copyBytes().count == 3 && outcome.possiblyLost == 0)
        }
    }

    @Test("What was written is not shown as if it had been read") func written() throws {
        try Bench.run { bench in
            let id = try bench.prepare(bench.associate(), capacity: 8)
            try bench.ops.write(id, count: 8)
            bench.port.finish(try bench.request, Completion(count: 8))
            bench.settle()
            let seen = try bench.ops.withResult(id) { completion, bytes in (completion.count, bytes.byteCount) }
            #expect(seen == (8, 0))
        }
    }

    private func freeIndices(_ bench: Bench, _ bytes: Int) -> [CellIndex] {
        bench.ops.ledger.slab.freeCells(SizeClass(holding: bytes)).map(\.record.index)
    }
}
