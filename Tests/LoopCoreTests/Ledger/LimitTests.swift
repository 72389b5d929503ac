import Testing

@testable import LoopCore

@Suite("Limits") struct LimitTests {
    @Test("Operations on the loop are limited, whichever handles they are on") func operationsOnLoop() throws {
        try Bench.run(limits { $0.operationsMax = 3 }) { bench in
            let ids = try (0..<3).map { try bench.prepare(bench.associate($0)) }
            let handle = try bench.associate(9)
            #expect(throws: OperationError.backpressure(.operationsOnLoop)) { try bench.prepare(handle) }
            try abandon(bench, ids.suffix(1))
            try abandon(bench, ids.prefix(2) + [bench.prepare(handle)])
        }
    }

    @Test("Bytes on the loop are limited to the last byte") func bytesOnLoop() throws {
        try Bench.run(limits { $0.bytesMax = 100 }) { bench in
            let handle = try bench.associate()
            let id = try bench.prepare(handle, capacity: 60)
            #expect(throws: OperationError.backpressure(.bytesOnLoop)) { try bench.prepare(handle, capacity: 41) }
            try abandon(bench, [id, bench.prepare(handle, capacity: 40)])
        }
    }

    @Test("Operations on a handle are limited, and another handle has its own share") func operationsOnHandle() throws {
        try Bench.run(limits { $0.operationsPerHandleMax = 2 }) { bench in
            let (one, other) = (try bench.associate(1), try bench.associate(2))
            let ids = try (0..<2).map { _ in try bench.prepare(one) }
            #expect(throws: OperationError.backpressure(.operationsOnHandle)) { try bench.prepare(one) }
            try abandon(bench, ids + [bench.prepare(other)])
        }
    }

    @Test("Bytes on a handle are limited") func bytesOnHandle() throws {
        try Bench.run(limits { $0.bytesPerHandleMax = 10 }) { bench in
            let handle = try bench.associate()
            let id = try bench.prepare(handle, capacity: 10)
            #expect(throws: OperationError.backpressure(.bytesOnHandle)) { try bench.prepare(handle, capacity: 1) }
            try abandon(bench, [id, bench.prepare(handle, capacity: 0)])
        }
    }

    @Test("A capacity that can never be met fails at once, and not as backpressure") func never() throws {
        try Bench.run(limits { ($0.bytesMax, $0.bytesPerHandleMax) = (100, 50) }) { bench in
            let handle = try bench.associate()
            #expect(throws: OperationError.capacityExceeded(requested: 51, limit: 50)) { try bench.prepare(handle, capacity: 51) }
        }
    }

    @Test("A completed operation counts until its result is taken, and a taken one no more") func completedCounts() throws {
        try Bench.run(limits { $0.operationsMax = 1 }) { bench in
            let handle = try bench.associate()
            let id = try bench.read(handle)
            bench.port.finish(try bench.request, bytes: [1])
            bench.settle()
            #expect(throws: OperationError.backpressure(.operationsOnLoop)) { try bench.prepare(handle) }
            let outcome = try bench.ops.result(id)
            try abandon(bench, [bench.prepare(handle)])
            #expect(outcome.count == 1)
        }
    }

    @Test("A handle whose share is all orphans is stuck, and takes operations again when one comes back") func orphans() throws {
        try Bench.run(limits { $0.operationsPerHandleMax = 1 }) { bench in
            let handle = try bench.associate()
            bench.port.driver = .stuck
            let id = try bench.read(handle)
            try bench.ops.onCompletion(id, timeout: .zero) { _, _ in }
            bench.turnPast(Limits().cancelGraceNanoseconds)
            #expect(try bench.ops.state(id) == .orphaned)
            #expect(throws: OperationError.stuck) { try bench.prepare(handle) }
            bench.port.finish(try bench.request, MockPort.aborted)
            bench.settle()
            try abandon(bench, [bench.prepare(handle)])
        }
    }

    @Test("Handles are limited, and one that is retired makes room") func handles() throws {
        try Bench.run(limits { $0.handlesMax = 2 }) { bench in
            let first = try bench.associate(1)
            _ = try bench.associate(2)
            #expect(throws: AssociationError.tooMany(limit: 2)) { try bench.associate(3) }
            try bench.ops.retire(first)
            _ = try bench.associate(3)
        }
    }

    @Test("A handle that the port refuses takes no slot") func refused() throws {
        try Bench.run(limits { $0.handlesMax = 1 }) { bench in
            bench.port.refusal = .blocking
            #expect(throws: AssociationError.blocking) { try bench.associate(1) }
            bench.port.refusal = nil
            _ = try bench.associate(1)
        }
    }

    private func limits(_ change: (inout Limits) -> Void) -> Limits {
        var limits = Limits()
        change(&limits)
        return limits
    }

    // SAFETY: no native call was made for any of them.
    private func abandon(_ bench: Bench, _ ids: some Sequence<OperationID>) throws {
        for id in ids { unsafe try bench.ops.abandon(id) }
    }
}
