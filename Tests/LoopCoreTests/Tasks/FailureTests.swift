import Testing

@testable import LoopCore

@Suite("Fibers that fail") struct FailureTests {
    private struct Refused: Error, Equatable {}

    @Test("The run throws what the fiber threw, when everybody else has been cancelled and has ended") func rethrown() throws {
        try Bench.run { bench in
            let ended = Tally()
            #expect(throws: Refused()) {
                try bench.loop.run { loop async throws in
                    loop.spawn { loop async in
                        try? await loop.sleep(for: .seconds(60))
                        ended.add()
                    }
                    loop.spawn(name: "doomed") { loop in
                        try await loop.sleep(for: .milliseconds(1))
                        throw Refused()
                    }
                    try await loop.sleep(for: .seconds(60))
                }
            }
            #expect(ended.value == 1)
            #expect(bench.port.journal.lines.contains { $0.contains("fiber doomed") && $0.contains("FailureTests.swift") })
            #expect(bench.loop.run { loop async in (try? await loop.sleep(for: .milliseconds(1))) != nil })
        }
    }

    @Test("The function's own error cancels the fibers") func ownError() throws {
        try Bench.run { bench in
            #expect(throws: Refused()) {
                try bench.loop.run { loop async throws(Refused) in
                    loop.spawn { loop async in try? await loop.sleep(for: .seconds(60)) }
                    throw Refused()
                }
            }
            #expect(bench.port.clock.nanoseconds < 60_000_000_000)
        }
    }

    @Test("What a cancelled fiber throws is nobody's failure") func cancelled() throws {
        try Bench.run { bench in
            try bench.loop.run { loop async throws in
                let fiber = loop.spawn { loop async throws(WaitError) in try await loop.sleep(for: .seconds(60)) }
                await Task.yield()
                fiber.cancel()
                await #expect(throws: WaitError.cancelled) { try await fiber.value }
            }
        }
    }

    @Test("A fiber that begins when the run has failed is cancelled from the start") func late() throws {
        try Bench.run { bench in
            let wasCancelled = Tally()
            #expect(throws: Refused()) {
                try bench.loop.run { loop async throws in
                    loop.spawn { _ async in if Task.isCancelled { wasCancelled.add() } }
                    throw Refused()
                }
            }
            #expect(wasCancelled.value == 1)
        }
    }

    @Test("An error that the run may not throw is reported, and ends it") func reported() throws {
        try Bench.run { bench in
            let value = bench.loop.run { loop async in
                loop.spawn(name: "doomed") { _ throws in throw Refused() }
                try? await loop.sleep(for: .seconds(60))
                return 3
            }
            #expect(value == 3)
            #expect(bench.port.journal.lines.contains { $0.contains("fiber doomed") })
            #expect(bench.port.clock.nanoseconds < 60_000_000_000)
        }
    }

    @Test("A shutdown gives cancelled fibers time for their last words, and names who does not listen") func shutdown() throws {
        let bench = try Bench(Limits())
        let journal = bench.port.journal
        let handle = try bench.associate()
        bench.loop.spawn { loop async in
            try? await loop.sleep(for: .seconds(60))
            let port = try? loop.mock
            port?.asleep = {
                if let port, let request = port.requests.last { port.finish(request, bytes: []) }
                port?.asleep = {}
            }
            let refused = (try? await loop.operations.perform(on: handle) { op in op.write(count: 0) })?.end
            let flushed = (try? await loop.operations.performShielded(on: handle) { op in op.write(count: 0) })?.end
            if refused == nil, flushed == .finished { journal.add("flushed") }
        }
        // SAFETY: this thread alone has it, in a turn and after the last, and resumes it once.
        nonisolated(unsafe) var deaf: UnsafeContinuation<Void, Never>?
        bench.loop.spawn(name: "deaf") { _ async in unsafe await withUnsafeContinuation { unsafe deaf = $0 } }
        bench.settle()
        let report = bench.loop.shutdown()
        #expect(journal.count("flushed") == 1)
        #expect(report.fibers.map(\.name) == ["deaf"])
        #expect(!report.isClean)
        // It ends late rather than never, or its task and the loop would be left behind.
        unsafe deaf?.resume()
    }
}
