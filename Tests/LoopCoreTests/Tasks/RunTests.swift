import Synchronization
import Testing

@testable import LoopCore

@Suite("Running a function on a loop") struct RunTests {
    private struct Refused: Error, Equatable {
        let number: Int
    }

    @Test("It returns what the function returned, and the loop can run again") func value() throws {
        try Bench.run { bench in
            #expect(bench.loop.run { _ in 42 } == 42)
            #expect(bench.loop.run { _ in "again" } == "again")
        }
    }

    @Test("It throws what the function threw, with its type") func failure() throws {
        try Bench.run { bench in
            #expect(throws: Refused(number: 3)) {
                try bench.loop.run { _ async throws(Refused) -> Void in throw Refused(number: 3) }
            }
            #expect(bench.loop.run { _ in 1 } == 1)
        }
    }

    @Test("The function runs on the loop's thread, behind every suspension too") func thread() throws {
        try Bench.run { bench in
            let here = RealThread.current
            let seen: [UInt] = bench.loop.run { loop async in
                var seen = [RealThread.current]
                await Task.yield()
                seen.append(RealThread.current)
                await hop()
                seen.append(RealThread.current)
                if !loop.isOnLoopThread { seen.append(0) }
                return seen
            }
            #expect(seen == [here, here, here])
        }
    }

    @Test("It waits for every fiber that the function spawned, and for theirs") func fibers() throws {
        try Bench.run { bench in
            let ended = Tally()
            bench.loop.run { loop async in
                for _ in 0..<3 {
                    loop.spawn { loop in
                        for _ in 0..<5 { await Task.yield() }
                        loop.spawn { _ in
                            await Task.yield()
                            ended.add()
                        }
                        ended.add()
                    }
                }
            }
            #expect(ended.value == 6)
        }
    }

    @Test("It waits for fibers that have not begun when the function ends", arguments: [1, 2, 10, 256])
    func fibersToCome(jobsPerTurnMax: Int) throws {
        var limits = Limits()
        limits.jobsPerTurnMax = jobsPerTurnMax
        try Bench.run(limits) { bench in
            let ended = Tally()
            bench.loop.run { loop async in
                for _ in 0..<1_000 { loop.spawn { _ in ended.add() } }
            }
            #expect(ended.value == 1_000)
        }
    }

    @Test("It waits for a fiber that another thread spawned while the function ran", arguments: [1, 256])
    func fiberFromElsewhere(jobsPerTurnMax: Int) throws {
        var limits = Limits()
        limits.jobsPerTurnMax = jobsPerTurnMax
        try Bench.run(limits) { bench in
            let ended = Tally()
            bench.loop.run { loop async in
                RealThread.elsewhere { loop.spawn { _ in ended.add() } }
            }
            #expect(ended.value == 1)
        }
    }

    @Test("A fiber that is spawned outside a run runs in the next turns, on the loop") func spawnOutside() throws {
        try Bench.run { bench in
            let (here, right) = (RealThread.current, Tally())
            bench.loop.spawn { _ in if RealThread.current == here { right.add() } }
            #expect(right.value == 0)
            bench.settle()
            #expect(right.value == 1)
        }
    }

    @Test("A fiber that has not begun is waited for and cancelled like the others", arguments: [true, false])
    func beforeItsFirstStep(isSpawnedHere: Bool) throws {
        try Bench.run { bench in
            let end = bench.loop.run { loop in
                let spawned = Mutex<Fiber<WaitError?, Never>?>(nil)
                let spawn: @Sendable () -> Void = {
                    let fiber = loop.spawn(name: "to come") { loop in
                        await LoopCoreTests.failure { try await loop.sleep(for: .seconds(3600)) }
                    }
                    spawned.withLock { $0 = fiber }
                }
                if isSpawnedHere { spawn() } else { RealThread.elsewhere(spawn) }
                // From another thread it has been sent, and the loop has not looked.
                #expect(loop.dump().fibers.map(\.name) == (isSpawnedHere ? ["run", "to come"] : ["run"]))
                let fiber = spawned.withLock { $0 }
                fiber?.cancel()
                return await fiber?.value
            }
            #expect(end == .cancelled)
            #expect(bench.loop.isWithoutFibers(bench.loop.core))
            #expect(bench.loop.core.fibers.count == 0)
        }
    }

    @Test("A fiber's task can be cancelled and awaited") func cancel() throws {
        try Bench.run { bench in
            let seen = bench.loop.run { loop in
                let isCancelled = Tally()
                let fiber = loop.spawn { _ in
                    while !Task.isCancelled { await Task.yield() }
                    isCancelled.add()
                }
                await Task.yield()
                fiber.cancel()
                await fiber.value
                return isCancelled.value
            }
            #expect(seen == 1)
        }
    }

    @Test("A task resumed by another thread wakes the loop and goes on there") func resumedElsewhere() throws {
        try Bench.run { bench in
            let here = RealThread.current
            let (value, thread) = bench.loop.run { _ in
                let value = await withCheckedContinuation { continuation in
                    RealThread { continuation.resume(returning: 5) }.detach()
                }
                return (value, RealThread.current)
            }
            #expect(value == 5 && thread == here)
        }
    }

    @Test("Calls that are posted from the loop's own thread run later, and in order") func posts() throws {
        try Bench.run { bench in
            let journal = Journal()
            for number in 1...3 { bench.loop.post { _ in journal.add("\(number)") } }
            #expect(journal.lines.isEmpty)
            bench.settle()
            #expect(journal.lines == ["1", "2", "3"])
        }
    }
}

/// A function of no isolation of its own.
private func hop() async { await Task.yield() }
