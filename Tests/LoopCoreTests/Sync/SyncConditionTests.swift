import Testing

@testable import LoopCore

@Suite("Conditions") struct SyncConditionTests {
    /// Fibers that wait in order of their numbers, and note what their waits came to while they hold the lock.
    private static func waiters(_ loop: EventLoop, _ count: Int, _ mutex: AsyncMutex, _ condition: Condition, _ journal: Journal) {
        for number in 0..<count {
            loop.spawn { _ in
                try await mutex.withLock {
                    let error = await failure { try await condition.wait(for: mutex) }
                    journal.add("\(number) \(error.map { "\($0)" } ?? "told")")
                }
            }
        }
    }

    @Test("A signal tells whoever has waited longest, a broadcast everybody else, one behind the other") func order() throws {
        try Bench.run { bench in
            let journal = Journal()
            try bench.loop.run { loop in
                let (mutex, condition) = (AsyncMutex(on: loop), Condition(on: loop))
                Self.waiters(loop, 4, mutex, condition, journal)
                try await loop.sleep(for: .milliseconds(1))
                #expect(await !mutex.isLocked)
                condition.signal()
                await pause(loop)
                #expect(journal.lines == ["0 told"])
                condition.broadcast()
            }
            #expect(journal.lines == ["0 told", "1 told", "2 told", "3 told"])
        }
    }

    @Test("A signal that nobody waits for is gone") func nobody() throws {
        try Bench.run { bench in
            let error = try bench.loop.run { loop in
                let (mutex, condition) = (AsyncMutex(on: loop), Condition(on: loop))
                condition.signal()
                return try await mutex.withLock {
                    await failure { try await condition.wait(for: mutex, timeout: .milliseconds(5)) }
                }
            }
            #expect(error == .timedOut)
        }
    }

    @Test("Who was told has the lock when it goes on, also if another task holds it first") func relock() throws {
        try Bench.run { bench in
            let journal = Journal()
            try bench.loop.run { loop in
                let (mutex, condition) = (AsyncMutex(on: loop), Condition(on: loop))
                Self.waiters(loop, 1, mutex, condition, journal)
                await pause(loop)
                try await mutex.withLock {
                    condition.signal()
                    try await loop.sleep(for: .milliseconds(1))
                    journal.add("out")
                }
            }
            #expect(journal.lines == ["out", "0 told"])
        }
    }

    @Test("A cancelled wait has the lock again before it throws", arguments: [true, false]) func cancel(timesOut: Bool) throws {
        try Bench.run { bench in
            let journal = Journal()
            try bench.loop.run { loop in
                let (mutex, condition) = (AsyncMutex(on: loop), Condition(on: loop))
                let fiber = loop.spawn { _ in
                    try await mutex.withLock {
                        let error = await failure { try await condition.wait(for: mutex, timeout: timesOut ? .milliseconds(1) : nil) }
                        journal.add("\(error.map { "\($0)" } ?? "told"), locked: \(await mutex.isLocked)")
                    }
                }
                await pause(loop)
                try await mutex.withLock {
                    if !timesOut { fiber.cancel() }
                    try await loop.sleep(for: .milliseconds(5))
                    journal.add("out")
                }
                try await fiber.value
                #expect(await !mutex.isLocked)
            }
            #expect(journal.lines == ["out", timesOut ? "timedOut, locked: true" : "cancelled, locked: true"])
        }
    }

    @Test("A signal goes to the next where the first was cancelled before, and is kept where it was cancelled after") func races() throws {
        try Bench.run { bench in
            let journal = Journal()
            bench.loop.run { loop in
                let (mutex, condition) = (AsyncMutex(on: loop), Condition(on: loop))
                let fibers = (0..<3).map { number in
                    loop.spawn { _ in
                        try await mutex.withLock {
                            let error = await failure { try await condition.wait(for: mutex) }
                            journal.add("\(number) \(error.map { "\($0)" } ?? "told")")
                        }
                    }
                }
                await pause(loop)
                fibers[0].cancel()
                await pause(loop)
                condition.signal()
                fibers[1].cancel()
                await pause(loop)
                condition.signal()
            }
            #expect(journal.lines == ["0 cancelled", "1 told", "2 told"])
        }
    }

    @Test("Any thread may signal", arguments: 0..<10) func threads(round: Int) throws {
        try Bench.run { bench in
            let journal = Journal()
            bench.loop.run { loop in
                let (mutex, condition) = (AsyncMutex(on: loop), Condition(on: loop))
                Self.waiters(loop, 2, mutex, condition, journal)
                await pause(loop)
                RealThread {
                    condition.signal()
                    condition.broadcast()
                }.detach()
            }
            #expect(journal.lines == ["0 told", "1 told"])
        }
    }

    @Test("Who waits when the loop ends is told so, and what is around the wait comes to its end", arguments: [true, false])
    func shutdown(holdsLock: Bool) throws {
        let bench = try Bench(Limits())
        let journal = Journal()
        let (mutex, condition) = (AsyncMutex(on: bench.loop), Condition(on: bench.loop))
        bench.loop.spawn { _ in
            try await mutex.withLock {
                do { try await condition.wait(for: mutex) } catch { journal.add("\(error)") }
            }
            journal.add("over")
        }
        bench.settle()
        if holdsLock {
            // It ends without giving it back.
            bench.loop.spawn { _ in try await mutex.lock() }
            bench.settle()
        }
        bench.loop.shutdown()
        #expect(journal.lines == [holdsLock ? "closed" : "cancelled", "over"])
    }
}
