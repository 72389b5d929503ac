import Testing

@testable import LoopCore

@Suite("Metrics") struct MetricsTests {
    @Test("Each step of an operation is counted once") func operations() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            func now() -> [Int] {
                let metrics = bench.ops.metrics
                let counts = metrics.operations
                return [metrics.prepared, counts.submitted, metrics.completed, counts.orphaned, counts.bytesInFlight, counts.inFlight]
            }
            #expect(now() == [0, 0, 0, 0, 0, 0])
            let id = try bench.prepare(handle, capacity: 10)
            #expect(now() == [1, 0, 0, 0, 10, 1])
            try bench.ops.read(id)
            #expect(now() == [0, 1, 0, 0, 10, 1])
            bench.port.finish(try bench.request, bytes: [1])
            bench.settle()
            #expect(now() == [0, 0, 1, 0, 10, 1])
            try bench.ops.free(id)
            #expect(now() == [0, 0, 0, 0, 0, 0])
            #expect(bench.ops.metrics.operations.preparedEver == 1 && bench.ops.metrics.operations.packets == 1)
        }
    }

    @Test("Packets of strangers, of nobody and of the past are counted and change nothing") func strayPackets() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let id = try bench.read(handle)
            let request = try bench.request
            bench.port.finish(request, Completion(count: 0, status: .pending))
            bench.settle()
            #expect(bench.ops.metrics.operations.stalePackets == 1)
            #expect(try bench.ops.state(id) == .submitted)
            bench.port.finish(request, bytes: [])
            bench.port.finish(request, bytes: [])
            bench.settle()
            #expect(bench.ops.metrics.operations.stalePackets == 2)
            for key in [PacketKey(rawValue: 1), .operation] { bench.ops.ledger.deliver(packet(of: key)) }
            #expect(bench.ops.metrics.operations.foreignPackets == 1)
            #expect(bench.ops.metrics.operations.stalePackets == 3)
            try bench.ops.free(id)
            #expect(throws: OperationError.staleID) { try bench.ops.free(id) }
            #expect(bench.ops.metrics.operations.staleIDs == 1)
        }
    }

    // SAFETY: without an address.
    private func packet(of key: PacketKey) -> Packet { unsafe Packet(key: key, block: nil, completion: Completion(count: 0)) }

    @Test("Turns, jobs, timers and batches are counted") func loop() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            for _ in 0..<3 { bench.loop.post { _ in } }
            bench.ops.call(at: bench.loop.now) {}
            let ids = try (0..<5).map { _ in
                let id = try bench.read(handle)
                bench.port.finish(try bench.request, bytes: [])
                return id
            }
            #expect(bench.ops.metrics.timersWaiting == 1)
            bench.loop.turn(.poll)
            let metrics = bench.ops.metrics
            #expect(metrics.turns == 1 && metrics.jobs == 3)
            #expect(metrics.timersFired == 1 && metrics.timersWaiting == 0)
            #expect(metrics.batches.count == 1 && metrics.batches.largest == 5)
            #expect(metrics.handles == 1)
            for id in ids { try bench.ops.free(id) }
            bench.loop.turn(.poll)
            #expect(bench.ops.metrics.batches.count == 1)
        }
    }

    @Test("How late a timer fired is counted in nanoseconds") func lateness() throws {
        try Bench.run { bench in
            bench.ops.call(at: bench.loop.now.advanced(by: 100)) {}
            bench.loop.turn(.poll)
            bench.advance(nanoseconds: 350)
            bench.settle()
            #expect(bench.ops.metrics.lateness.count == 1)
            #expect(bench.ops.metrics.lateness.largest == 250)
        }
    }

    @Test("The lag is the time that the loop itself took between two looks at the port") func lag() throws {
        try Bench.run { bench in
            #expect(bench.ops.metrics.lag.count == 0)
            bench.loop.turn(.poll)
            bench.loop.post { loop in (try? loop.mock)?.clock.nanoseconds += 4_000 }
            bench.loop.turn(.poll)
            let metrics = bench.ops.metrics
            #expect(metrics.lag.count == 1 && metrics.lag.largest == 4_000)
        }
    }

    @Test("Until somebody reads the metrics no lag is counted, and a turn that only waits reads the clock once") func lagUnread() throws {
        try Bench.run { bench in
            bench.loop.turn(.poll)
            bench.loop.post { loop in (try? loop.mock)?.clock.nanoseconds += 4_000 }
            bench.loop.turn(.poll)
            #expect(clockReads(of: bench) == 1)
            #expect(bench.ops.metrics.lag.count == 0)
            #expect(clockReads(of: bench) == 2)
        }
    }

    /// How often a turn reads the clock that finds nothing and waits.
    private func clockReads(of bench: Bench) -> Int {
        let before = bench.port.clockReads
        bench.loop.turn(until: bench.port.clock)
        return bench.port.clockReads - before
    }
}
