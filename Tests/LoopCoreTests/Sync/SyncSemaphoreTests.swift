import Testing

@testable import LoopCore

@Suite("Permits") struct SyncSemaphoreTests {
    @Test("As many tasks are inside as there are permits", arguments: [1, 3, 10]) func bound(permits: Int) throws {
        try Bench.run { bench in
            let (inside, most, ended) = (Tally(), Journal(), Tally())
            let left = try bench.loop.run { loop in
                let semaphore = Semaphore(on: loop, permits: permits)
                for _ in 0..<10 {
                    loop.spawn { loop in
                        try await semaphore.withPermit {
                            inside.add()
                            most.add("\(inside.value)")
                            try await loop.sleep(for: .milliseconds(1))
                            inside.add(-1)
                        }
                        ended.add()
                    }
                }
                try await loop.sleep(for: .seconds(1))
                return await semaphore.permits
            }
            #expect(most.lines.compactMap { Int($0) }.max() == permits)
            #expect(ended.value == 10 && left == permits)
        }
    }

    @Test("A permit goes to whoever has waited longest, and who comes later does not take it") func order() throws {
        try Bench.run { bench in
            let journal = Journal()
            try bench.loop.run { loop in
                let semaphore = Semaphore(on: loop, permits: 0)
                for number in 0..<3 {
                    loop.spawn { _ in
                        try await semaphore.acquire()
                        journal.add("\(number)")
                    }
                }
                await pause(loop)
                semaphore.release()
                #expect(await !semaphore.tryAcquire())
                semaphore.release()
                semaphore.release()
                semaphore.release()
                try await semaphore.acquire()
                journal.add("last")
            }
            // Those who waited are woken in order; who finds a permit goes on at once.
            #expect(journal.lines.filter { $0 != "last" } == ["0", "1", "2"])
        }
    }

    @Test("A permit that a cancelled task was not handed goes to the next", arguments: [true, false])
    func cancelThenRelease(timesOut: Bool) throws {
        try Bench.run { bench in
            let errors = bench.loop.run { loop in
                let semaphore = Semaphore(on: loop, permits: 0)
                let first = loop.spawn { _ in await failure { try await semaphore.acquire(timeout: timesOut ? .milliseconds(1) : nil) } }
                let second = loop.spawn { _ in await failure { try await semaphore.acquire() } }
                await pause(loop)
                if timesOut { try? await loop.sleep(for: .milliseconds(5)) } else { first.cancel() }
                await pause(loop)
                semaphore.release()
                let errors = [await first.value, await second.value]
                #expect(await semaphore.permits == 0)
                return errors
            }
            #expect(errors == [timesOut ? .timedOut : .cancelled, nil])
        }
    }

    @Test("A permit that was handed over before the cancel is kept") func releaseThenCancel() throws {
        try Bench.run { bench in
            let error = bench.loop.run { loop in
                let semaphore = Semaphore(on: loop, permits: 0)
                let fiber = loop.spawn { _ in await failure { try await semaphore.acquire() } }
                await pause(loop)
                semaphore.release()
                fiber.cancel()
                let error = await fiber.value
                #expect(await semaphore.permits == 0)
                return error
            }
            #expect(error == nil)
        }
    }

    @Test("A task that is cancelled already gets none, and throws") func cancelledOnEntry() throws {
        try Bench.run { bench in
            let (error, left) = bench.loop.run { loop in
                let semaphore = Semaphore(on: loop, permits: 1)
                let fiber = loop.spawn { _ in await failure { try await semaphore.acquire() } }
                fiber.cancel()
                return (await fiber.value, await semaphore.permits)
            }
            #expect(error == .cancelled && left == 1)
        }
    }

    @Test("Any thread may release", arguments: 0..<10) func threads(round: Int) throws {
        try Bench.run { bench in
            let left = try bench.loop.run { loop in
                let semaphore = Semaphore(on: loop, permits: 0)
                RealThread { for _ in 0..<100 { semaphore.release() } }.detach()
                for _ in 0..<100 { try await semaphore.acquire() }
                return await semaphore.permits
            }
            #expect(left == 0)
        }
    }

    @Test("Who waits when the loop ends is told that it is closed") func shutdown() throws {
        let bench = try Bench(Limits())
        let journal = Journal()
        let semaphore = Semaphore(on: bench.loop, permits: 0)
        // Not a fiber: the loop's end does not cancel it.
        Task(executorPreference: bench.loop) { journal.add("\(String(describing: await failure { try await semaphore.acquire() }))") }
        bench.settle()
        bench.loop.shutdown()
        #expect(journal.count("Optional(LoopCore.WaitError.closed)") == 1)
    }
}
