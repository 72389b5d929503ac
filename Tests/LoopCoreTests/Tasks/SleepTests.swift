import Testing

@testable import LoopCore

@Suite("Sleeping on the loop") struct SleepTests {
    @Test("A sleep takes its time, on the loop's clock") func time() throws {
        try Bench.run { bench in
            let took = try bench.loop.run { loop in
                let began = loop.now
                try await loop.sleep(for: .milliseconds(5))
                return loop.now.nanoseconds(since: began)
            }
            #expect(took == 5_000_000)
        }
    }

    @Test("A cancelled sleep throws at once, and its timer is gone") func cancelled() throws {
        try Bench.run { bench in
            let (error, timers) = bench.loop.run { loop in
                let sleeper = loop.spawn { loop async -> WaitError? in
                    do throws(WaitError) { try await loop.sleep(for: .seconds(3_600)) } catch { return error }
                    return nil
                }
                await Task.yield()
                sleeper.cancel()
                return (await sleeper.value, loop.metrics.timersWaiting)
            }
            #expect(error == .cancelled)
            #expect(timers == 0)
        }
    }

    @Test("Ten thousand hour-long sleeps that are cancelled leave no timer behind") func manyCancelled() throws {
        try Bench.run { bench in
            let before = bench.port.clock
            bench.loop.run { loop async in
                for _ in 0..<10 {
                    let sleepers = (0..<1_000).map { _ in loop.spawn { loop async in try? await loop.sleep(for: .seconds(3_600)) } }
                    await Task.yield()
                    for sleeper in sleepers { sleeper.cancel() }
                    for sleeper in sleepers { _ = await sleeper.value }
                    #expect(loop.metrics.timersWaiting == 0)
                }
            }
            #expect(bench.port.clock == before)
        }
    }

    @Test("Tolerant sleeps of about the same time share a wake-up") func tolerance() throws {
        try Bench.run { bench in
            let wakes = bench.loop.run { loop in
                let sleepers = (0..<50).map { place in
                    loop.spawn { loop async -> UInt64 in
                        try? await loop.sleep(for: .milliseconds(100 + place), tolerance: .milliseconds(200))
                        return loop.now.nanoseconds
                    }
                }
                var wakes: Set<UInt64> = []
                for sleeper in sleepers { wakes.insert(await sleeper.value) }
                return wakes
            }
            #expect(wakes.count <= 2)
        }
    }

    @Test("No tolerance moves a deadline forward, or further back than it allows", arguments: [0, 1, 7, 1_000, 999_999_937] as [UInt64])
    func coarsening(tolerance: UInt64) {
        for start in [0, 1, 12_345, 999_999_999, UInt64.max - 5] as [UInt64] {
            let instant = MonotonicInstant(nanoseconds: start)
            let moved = instant.coarsened(within: tolerance)
            #expect(moved >= instant)
            #expect(moved == .distantFuture || moved.nanoseconds - start <= tolerance)
        }
    }

    @Test("Task.sleep on the loop's clock is a timer of the loop") func clock() throws {
        try Bench.run { bench in
            let (took, error) = try bench.loop.run { loop in
                let began = loop.now
                try await Task.sleep(for: .milliseconds(7), clock: loop.clock)
                let took = began.duration(to: loop.now)
                let sleeper = loop.spawn { loop async -> Bool in
                    do { try await Task.sleep(for: .seconds(60), clock: loop.clock) } catch { return error is CancellationError }
                    return false
                }
                await Task.yield()
                sleeper.cancel()
                return (took, await sleeper.value)
            }
            #expect(took == .milliseconds(7))
            #expect(error)
        }
    }

    @Test("A sleeper is told when the loop ends, be it a fiber or not") func shutdown() throws {
        let bench = try Bench(Limits())
        let journal = bench.port.journal
        Task(executorPreference: bench.loop) { [loop = bench.loop] in
            do throws(WaitError) { try await loop.sleep(for: .seconds(60)) } catch { journal.add("\(error)") }
        }
        bench.settle()
        #expect(bench.loop.shutdown().isClean)
        #expect(journal.count("closed") == 1)
    }
}
