import Testing

@testable import LoopCore

@Suite("Timeouts around waits") struct TimeoutTests {
    @Test("A wait that takes too long ends, and the error says what it was for") func sleep() throws {
        try Bench.run { bench in
            let (error, took) = bench.loop.run { loop in
                let began = loop.now
                let error = await #expect(throws: TimeoutError.self) {
                    try await loop.timeout(.milliseconds(5)) { try await loop.sleep(for: .seconds(1)) }
                }
                return (error, loop.now.nanoseconds(since: began))
            }
            #expect(error?.waitedFor == .sleep && error?.time == .milliseconds(5))
            #expect(error?.cause as? WaitError == .timedOut)
            #expect(took == 5_000_000)
        }
    }

    @Test("What is done in time is returned, and what it throws is thrown") func inTime() throws {
        try Bench.run { bench in
            let value = try bench.loop.run { loop in
                await #expect(throws: WaitError.cancelled) {
                    try await loop.timeout(.seconds(1)) { throw WaitError.cancelled }
                }
                return try await loop.timeout(.seconds(1)) {
                    try await loop.sleep(for: .milliseconds(1))
                    return 4
                }
            }
            #expect(value == 4)
        }
    }

    @Test("Each of many waits tells the timeout around it, and no other") func many() throws {
        try Bench.run { bench in
            let journal = Journal()
            bench.loop.run { loop in
                let gate = Gate(on: loop)
                for number in 0..<100 {
                    // Every third is around nothing, every other of the rest waits at a gate.
                    loop.spawn { loop in
                        guard number % 3 > 0 else { return try await loop.sleep(for: .milliseconds(5)) }
                        do {
                            try await loop.timeout(.milliseconds(Int64(1 + number))) {
                                if number % 2 == 0 { try await loop.sleep(for: .seconds(1)) } else { try await gate.wait() }
                            }
                        } catch let error as TimeoutError {
                            journal.add("\(number) \(error.waitedFor) \(error.time == .milliseconds(Int64(1 + number)))")
                        }
                    }
                }
            }
            let wanted = (0..<100).filter { $0 % 3 > 0 }.map { "\($0) \($0 % 2 == 0 ? "sleep" : "gate") true" }
            #expect(journal.lines == wanted)
            #expect(bench.loop.core.parked.count == 0 && bench.loop.core.timers.count == 0)
        }
    }

    @Test("A retry has what is left of the time") func retries() throws {
        try Bench.run { bench in
            let (tries, took) = bench.loop.run { loop in
                let began = loop.now
                var tries = 0
                await #expect(throws: TimeoutError.self) {
                    try await loop.timeout(.milliseconds(25)) {
                        while true {
                            tries += 1
                            try await loop.sleep(for: .milliseconds(10))
                        }
                    }
                }
                return (tries, loop.now.nanoseconds(since: began))
            }
            #expect(tries == 3)
            #expect(took == 25_000_000)
        }
    }

    @Test("Of nested timeouts the tighter ends the wait, and throws", arguments: [(3, 9), (9, 3)])
    func nested(inner: Int, outer: Int) throws {
        try Bench.run { bench in
            let (caughtInside, caughtOutside) = try bench.loop.run { loop in
                var (inside, outside): (Duration?, Duration?) = (nil, nil)
                do {
                    try await loop.timeout(.milliseconds(outer)) {
                        do {
                            try await loop.timeout(.milliseconds(inner)) { try await loop.sleep(for: .seconds(1)) }
                        } catch let error as TimeoutError {
                            inside = error.time
                        }
                    }
                } catch let error as TimeoutError {
                    outside = error.time
                }
                return (inside, outside)
            }
            #expect(caughtInside == (inner < outer ? .milliseconds(inner) : nil))
            #expect(caughtOutside == (inner < outer ? nil : .milliseconds(outer)))
        }
    }

    @Test("An operation is asked to end, and is named") func operation() throws {
        try Bench.run { bench in
            let handle = try bench.associate(6)
            let error = bench.loop.run { loop in
                await #expect(throws: TimeoutError.self) {
                    try await loop.timeout(.milliseconds(5)) {
                        let outcome = try await loop.operations.perform(on: handle, capacity: 4, tag: 8) { op in op.read() }
                        if outcome.end == .timedOut { throw WaitError.timedOut }
                    }
                }
            }
            #expect(error?.waitedFor == .operation(handle: NativeHandle(rawValue: 6), tag: 8))
        }
    }

    @Test("An operation that was cancelled first is not its doing, although the packet comes later") func cancelledFirst() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            bench.port.driver = .stuck
            let error = try bench.loop.run { loop in
                let fiber = try await loop.cancelledRead(on: handle)
                try await loop.sleep(for: .milliseconds(4))
                let port = try loop.mock
                if let request = port.requests.last { port.finish(request, MockPort.aborted) }
                return await fiber.value
            }
            #expect(error == .cancelled)
        }
    }

    @Test("Nor is one that was cancelled first and that no driver answers for, although the grace ends later") func cancelledAndStuck()
        throws
    {
        try Bench.run { bench in
            let handle = try bench.associate()
            bench.port.driver = .stuck
            let error = try bench.loop.run { loop in
                let fiber = try await loop.cancelledRead(on: handle)
                return await fiber.value
            }
            #expect(error == .closed)
            // The packet comes home when nobody waits for it any more.
            bench.port.finish(try bench.request, MockPort.aborted)
            bench.settle()
        }
    }

    @Test("A fiber that is spawned inside is not bound by it") func spawned() throws {
        try Bench.run { bench in
            let error = try bench.loop.run { loop in
                try await loop.timeout(.milliseconds(5)) {
                    let fiber = loop.spawn { loop async -> WaitError? in
                        do throws(WaitError) { try await loop.sleep(for: .milliseconds(50)) } catch { return error }
                        return nil
                    }
                    return await fiber.value
                }
            }
            #expect(error == nil)
        }
    }

    @Test("A child task is bound by it while it lasts") func children() throws {
        try Bench.run { bench in
            let error = bench.loop.run { loop in
                await #expect(throws: TimeoutError.self) { try await loop.timeout(.milliseconds(5)) { try await sleepInChild(loop) } }
            }
            #expect(error?.waitedFor == .sleep)
        }
    }

    @Test("Its function may touch the state of the actor that calls it") func isolation() throws {
        try Bench.run { bench in
            let owner = Owner(bench.loop)
            let steps = try bench.loop.run { _ in try await owner.work() }
            #expect(steps == 2)
        }
    }
}

extension EventLoop {
    /// What a timeout throws around a read that is cancelled; nil where it is an error of its own.
    /// A fiber that reads inside a timeout of five milliseconds, and was cancelled after three.
    fileprivate func cancelledRead(on handle: AssociatedHandle) async throws(WaitError) -> Fiber<WaitError?, Never> {
        let fiber = spawn { loop in await loop.errorOfCancelledRead(on: handle, timeout: .milliseconds(5)) }
        try await self.sleep(for: .milliseconds(3))
        fiber.cancel()
        return fiber
    }

    fileprivate func errorOfCancelledRead(on handle: AssociatedHandle, timeout time: Duration) async -> WaitError? {
        await failure {
            try await timeout(time) {
                let outcome = try await operations.perform(on: handle, capacity: 4) { op in op.read() }
                switch outcome.end {
                case .cancelled: throw WaitError.cancelled
                case .stuck: throw WaitError.closed
                case .finished, .timedOut: break
                }
            }
        }
    }
}

private actor Owner: OnLoop {
    nonisolated let loop: EventLoop
    private var steps = 0

    init(_ loop: EventLoop) { self.loop = loop }

    func work() async throws -> Int {
        try await loop.timeout(.seconds(1)) {
            steps += 1
            try await loop.sleep(for: .milliseconds(1))
            steps += 1
            return steps
        }
    }
}

private func sleepInChild(_ loop: EventLoop) async throws {
    async let child: Void = loop.sleep(for: .seconds(1))
    try await child
}
