import Testing

@testable import LoopCore

@Suite("Locks for tasks") struct SyncMutexTests {
    @Test("One task at a time is inside, across its waits, in the order of asking") func order() throws {
        try Bench.run { bench in
            let journal = Journal()
            try bench.loop.run { loop in
                let mutex = AsyncMutex(on: loop)
                for number in 0..<4 {
                    loop.spawn { loop in
                        try await mutex.withLock {
                            journal.add("in \(number)")
                            try await loop.sleep(for: .milliseconds(4 - number))
                            journal.add("out \(number)")
                        }
                    }
                }
                try await loop.sleep(for: .seconds(1))
                #expect(await !mutex.isLocked)
            }
            #expect(journal.lines == (0..<4).flatMap { ["in \($0)", "out \($0)"] })
        }
    }

    @Test("It is handed over: who asks after the unlock does not overtake who waits") func handOver() throws {
        try Bench.run { bench in
            let journal = Journal()
            try bench.loop.run { loop in
                let mutex = AsyncMutex(on: loop)
                try await mutex.lock()
                let waiting = loop.spawn { _ in try await mutex.withLock { journal.add("who waited") } }
                await Task.yield()
                mutex.unlock()
                #expect(await !mutex.tryLock())
                try await mutex.withLock { journal.add("who came later") }
                try await waiting.value
            }
            #expect(journal.lines == ["who waited", "who came later"])
        }
    }

    @Test("A wait for it ends with its timeout, and the next in line moves up") func timeout() throws {
        try Bench.run { bench in
            let got = try bench.loop.run { loop in
                let mutex = AsyncMutex(on: loop)
                try await mutex.lock()
                let hasty = loop.spawn { _ in await failure { try await mutex.lock(timeout: .milliseconds(5)) } }
                let patient = loop.spawn { _ in await failure { try await mutex.lock() } }
                #expect(await hasty.value == .timedOut)
                mutex.unlock()
                return await patient.value
            }
            #expect(got == nil)
        }
    }

    @Test("A wait for it ends with the task's cancellation, and a task that is cancelled already does not get it, free or not")
    func cancel() throws {
        try Bench.run { bench in
            try bench.loop.run { loop in
                let mutex = AsyncMutex(on: loop)
                try await mutex.lock()
                let waiting = loop.spawn { _ in await failure { try await mutex.lock() } }
                await Task.yield()
                waiting.cancel()
                #expect(await waiting.value == .cancelled)
                mutex.unlock()
                let late = loop.spawn { _ in await failure { try await mutex.lock() } }
                late.cancel()
                #expect(await late.value == .cancelled)
                #expect(await !mutex.isLocked)
            }
        }
    }

    @Test("A task that it was handed to has it, cancelled meanwhile or not, and gives it on") func cancelAfterHandOver() throws {
        try Bench.run { bench in
            let journal = Journal()
            try bench.loop.run { loop in
                let mutex = AsyncMutex(on: loop)
                try await mutex.lock()
                let first = loop.spawn { _ in try await mutex.withLock { journal.add("first, cancelled: \(Task.isCancelled)") } }
                let second = loop.spawn { _ in try await mutex.withLock { journal.add("second") } }
                await Task.yield()
                mutex.unlock()
                first.cancel()
                try await first.value
                try await second.value
            }
            #expect(journal.lines == ["first, cancelled: true", "second"])
        }
    }

    @Test("A cancel before the unlock lets it go to the next") func cancelBeforeHandOver() throws {
        try Bench.run { bench in
            let (first, second) = try bench.loop.run { loop in
                let mutex = AsyncMutex(on: loop)
                try await mutex.lock()
                let first = loop.spawn { _ in await failure { try await mutex.withLock {} } }
                let second = loop.spawn { _ in await failure { try await mutex.withLock {} } }
                await Task.yield()
                first.cancel()
                mutex.unlock()
                return (await first.value, await second.value)
            }
            // The cancel is looked at in a phase of its own: the unlock came first.
            #expect(first == nil && second == nil)
        }
    }

    @Test("What the function throws is thrown, and the lock is free") func throwing() throws {
        try Bench.run { bench in
            let isLocked = bench.loop.run { loop in
                let mutex = AsyncMutex(on: loop)
                await #expect(throws: Refused.self) { try await mutex.withLock { throw Refused() } }
                return await mutex.isLocked
            }
            #expect(!isLocked)
        }
    }

    @Test("A task that was cancelled takes it by the shielded way, and waits for it") func shielded() throws {
        try Bench.run { bench in
            let journal = Journal()
            bench.loop.run { loop in
                let mutex = AsyncMutex(on: loop)
                #expect(await failure { try await mutex.lock() } == nil)
                let fiber = loop.spawn { _ in
                    do { try await loop.sleep(for: .seconds(1)) } catch { journal.add("\(error)") }
                    #expect(await failure { try await mutex.lockShielded() } == nil)
                    journal.add("last words")
                    mutex.unlock()
                }
                await Task.yield()
                fiber.cancel()
                await pause(loop)
                journal.add("unlock")
                mutex.unlock()
                await fiber.value
                #expect(await !mutex.isLocked)
            }
            #expect(journal.lines == ["cancelled", "unlock", "last words"])
        }
    }

    @Test("A shielded wait has its own timeout") func shieldedTimeout() throws {
        try Bench.run { bench in
            let error = bench.loop.run { loop in
                let mutex = AsyncMutex(on: loop)
                #expect(await failure { try await mutex.lock() } == nil)
                return await loop.spawn { _ in await failure { try await mutex.lockShielded(timeout: .milliseconds(5)) } }.value
            }
            #expect(error == .timedOut)
        }
    }

    @Test("A timeout around it is named after it") func scope() throws {
        try Bench.run { bench in
            let error = bench.loop.run { loop in
                let mutex = AsyncMutex(on: loop)
                #expect(await failure { try await mutex.lock() } == nil)
                let fiber = loop.spawn { loop in
                    await #expect(throws: TimeoutError.self) {
                        try await loop.timeout(.milliseconds(5)) { try await mutex.withLock {} }
                    }
                }
                return await fiber.value
            }
            #expect(error?.waitedFor == .mutex)
        }
    }

    @Test("Who waits when the loop ends is told that it is closed") func shutdown() throws {
        let bench = try Bench(Limits())
        let journal = Journal()
        let mutex = AsyncMutex(on: bench.loop)
        bench.loop.spawn { _ in #expect(await failure { try await mutex.lockShielded() } == nil) }
        bench.loop.spawn { _ in
            do { try await mutex.lockShielded() } catch { journal.add("\(error)") }
        }
        bench.settle()
        #expect(bench.loop.shutdown().isClean)
        #expect(journal.lines == ["closed"])
    }
}

private struct Refused: Error {}
