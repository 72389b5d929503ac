import Testing

@testable import LoopCore

// The examples of docs/Fibers.md, each in a program that runs.
@Suite("What the guide to fibers shows") struct FiberGuideTests {
    private let journal = Journal()

    private func run(_ body: @escaping @Sendable (isolated EventLoop) async throws -> Void) throws {
        try Bench.run { bench in try bench.loop.run(body) }
    }

    @Test("Thread.new and Thread#join") func threads() throws {
        try run { [journal] loop in
            // example: fiber-join
            let fiber = loop.spawn(name: "worker") { loop in
                try await loop.sleep(for: .milliseconds(20))
                return 42
            }
            switch try await fiber.join(timeout: .seconds(1)) {
            case .success(let value): journal.add("it returned \(value)")
            case .failure(let error): journal.add("it threw \(error)")
            }
            // example end
        }
        #expect(journal.lines == ["it returned 42"])
    }

    @Test("Threads of a group") func group() throws {
        try run { [journal] loop in
            // example: fiber-group
            let sum = await withTaskGroup(of: Int.self) { group in
                for number in 1...3 { group.addFiber(on: loop) { _ in number * number } }
                var sum = 0
                for await square in group { sum += square }
                return sum
            }
            // example end
            journal.add("\(sum)")
        }
        #expect(journal.lines == ["14"])
    }

    @Test("Mutex") func mutex() throws {
        try run { [journal] loop in
            // example: fiber-mutex
            let mutex = AsyncMutex(on: loop)
            for name in ["a", "b"] {
                loop.spawn { loop in
                    try await mutex.withLock {
                        journal.add("\(name) asks")
                        try await loop.sleep(for: .milliseconds(5))
                        journal.add("\(name) is answered")
                    }
                }
            }
            // example end
        }
        #expect(journal.lines == ["a asks", "a is answered", "b asks", "b is answered"])
    }

    @Test("ConditionVariable") func condition() throws {
        try run { [journal] loop in
            // example: fiber-condition
            let (mutex, changed) = (AsyncMutex(on: loop), Condition(on: loop))
            var level = 0
            let filling = loop.spawn { loop in
                for _ in 0..<3 { try await loop.sleep(for: .milliseconds(1)) }
                try await mutex.withLock { changed.broadcast() }
                return 3
            }
            try await mutex.withLock {
                while level < 3 {
                    try await changed.wait(for: mutex, timeout: .seconds(1))
                    level = try await filling.value
                }
            }
            // example end
            journal.add("\(level)")
        }
        #expect(journal.lines == ["3"])
    }

    @Test("Queue and SizedQueue") func queue() throws {
        try run { [journal] loop in
            // example: fiber-channel
            let lines = Channel<String>(on: loop, capacity: 16)
            loop.spawn { _ in
                for number in 1...3 { try await lines.send("line \(number)") }
                lines.finish()
            }
            for try await line in lines { journal.add(line) }
            // example end
        }
        #expect(journal.lines == ["line 1", "line 2", "line 3"])
    }

    @Test("Queue, from a thread") func queueFromThread() throws {
        try run { [journal] loop in
            // example: fiber-channel-thread
            let readings = Channel<Int>(on: loop, capacity: 4)
            let sensor = RealThread {
                for reading in 1...3 where readings.trySend(reading) != .sent { journal.add("dropped") }
                readings.finish()
            }
            while let reading = try await readings.receive() { journal.add("\(reading)") }
            // example end
            sensor.join()
        }
        #expect(journal.lines == ["1", "2", "3"])
    }

    @Test("Semaphore and gate") func semaphore() throws {
        try run { [journal] loop in
            // example: fiber-semaphore
            let (connections, isReady) = (Semaphore(on: loop, permits: 2), Gate(on: loop))
            for number in 1...4 {
                loop.spawn { loop in
                    try await isReady.wait()
                    try await connections.withPermit {
                        journal.add("\(number) begins")
                        try await loop.sleep(for: .milliseconds(5))
                    }
                }
            }
            isReady.open()
            // example end
        }
        #expect(journal.lines == (1...4).map { "\($0) begins" })
    }

    @Test("Timeout.timeout and sleep") func timeout() throws {
        try run { [journal] loop in
            // example: fiber-timeout
            do {
                try await loop.timeout(.milliseconds(50)) {
                    while true { try await loop.sleep(for: .milliseconds(20)) }
                }
            } catch let error as TimeoutError {
                journal.add("after \(error.time), in a \(error.waitedFor)")
            }
            // example end
        }
        #expect(journal.lines == ["after 0.05 seconds, in a sleep"])
    }

    @Test("Thread#kill, with last words") func lastWords() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let port = bench.port
            port.answer = { [unowned port] request in
                port.finish(request, Completion(count: 4))
                return .owesPacket
            }
            try bench.loop.run { [journal] loop in
                // example: fiber-last-words
                let fiber = loop.spawn { loop in
                    do {
                        try await loop.sleep(for: .seconds(3600))
                    } catch WaitError.cancelled {
                        // Every further wait of this task would end at once. A shielded one does not.
                        let outcome = try await loop.operations.performShielded(on: handle, capacity: 4, timeout: .seconds(1)) { op in
                            op.write(count: 4)
                        }
                        journal.add("said goodbye in \(outcome.count) bytes")
                    }
                }
                // example end
                await Task.yield()
                fiber.cancel()
                try await fiber.join()
            }
        }
        #expect(journal.lines == ["said goodbye in 4 bytes"])
    }

    @Test("Thread#report_on_exception and abort_on_exception") func failure() throws {
        try Bench.run { bench in
            // example: fiber-failure
            let outcome = Result {
                try bench.loop.run { loop async throws in
                    loop.spawn(name: "broken") { _ in throw Refused() }
                    try await loop.sleep(for: .seconds(3600))
                }
            }
            // example end
            #expect(throws: Refused.self) { try outcome.get() }
            #expect(bench.port.journal.lines.contains { $0.contains("fiber broken") })
        }
    }

    @Test("Work for a thread of one's own, as long as it takes") func remote() throws {
        try run { [journal] loop in
            // example: fiber-remote
            let answers = Channel<String>(on: loop, capacity: 1)
            let worker = RealThread { _ = answers.trySend("what a blocking call returned") }
            journal.add(try await answers.receive() ?? "nothing")
            // example end
            worker.join()
        }
        #expect(journal.lines == ["what a blocking call returned"])
    }
}

private struct Refused: Error {}
