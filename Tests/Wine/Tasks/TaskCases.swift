internal import LoopCore
internal import _Concurrency

/// Fibers, sleeps and awaited operations over the real completion port, in the embedded runtime.
enum TaskCases {
    static var suite: Suite {
        Suite(
            "tasks",
            on: [
                running("fibers run on the loop, and a run waits for all of them", fibers),
                running("a sleep takes its time", sleep),
                running("a cancelled sleep ends at once, and its timer is gone", cancelledSleep),
                running("an awaited read of a pipe brings what the other end wrote", read),
                running("an awaited read that times out has ended, and the next one gets the bytes", timedOut),
                running("a cancelled task's read ends, and loses no byte", cancelledRead),
                running("a cancelled task starts nothing, but by a shielded operation", shielded),
                running("actors of the loop, and calls between them, keep their state", actors),
                running("a fiber that fails cancels the others, and the run ends", failure),
            ])
    }

    private typealias Body = @Sendable (isolated EventLoop) async throws(Unmet) -> Void

    /// A case that is the function of a `run`, as a program's own code is.
    private static func running(_ name: String, _ body: @escaping Body) -> Win32Case {
        Win32Case(name) { bench throws(Unmet) in
            try Jobs.live(on: bench.loop) { () throws(Unmet) in
                try bench.loop.run { loop async throws(Unmet) in try await body(loop) }
            }
        }
    }

    /// A check fails by being thrown: a task may not touch what the suite collects.
    private static func demand(_ isMet: Bool, _ what: String) throws(Unmet) { if !isMet { throw .failed(what) } }

    private static func fibers(_ loop: isolated EventLoop) async throws(Unmet) {
        var sum = 0
        let fibers = (1...100).map { number in
            loop.spawn { loop async -> Int in
                await Task.yield()
                return loop.isOnLoopThread ? number : 0
            }
        }
        for fiber in fibers { sum += await fiber.value }
        try demand(sum == 5_050, "what the fibers returned")
        // Left to the run, which the bench finds with nothing in flight afterwards.
        loop.spawn { loop async in try? await loop.sleep(for: .milliseconds(2)) }
    }

    private static func sleep(_ loop: isolated EventLoop) async throws(Unmet) {
        let began = loop.now
        do throws(WaitError) { try await loop.sleep(for: .milliseconds(5)) } catch { throw .failed("the sleep threw") }
        try demand(loop.now.nanoseconds(since: began) >= 5_000_000, "five milliseconds")
    }

    private static func cancelledSleep(_ loop: isolated EventLoop) async throws(Unmet) {
        let sleeper = loop.spawn { loop async -> WaitError? in
            do throws(WaitError) { try await loop.sleep(for: .seconds(3_600)) } catch { return error }
            return nil
        }
        await Task.yield()
        sleeper.cancel()
        try demand(await sleeper.value == .cancelled, "it says that it was cancelled")
        try demand(loop.metrics.timersWaiting == 0, "timers")
    }

    private static func read(_ loop: isolated EventLoop) async throws(Unmet) {
        let pipe = try TaskPipe(loop)
        let reader = loop.spawn { loop async -> [UInt8] in await pipe.read(loop, timeout: nil).bytes }
        await Task.yield()
        Win32.write(pipe.far, [1, 2, 3])
        try demand(await reader.value.count == 3, "bytes")
        await pipe.close(loop)
    }

    private static func timedOut(_ loop: isolated EventLoop) async throws(Unmet) {
        let pipe = try TaskPipe(loop)
        let late = await pipe.read(loop, timeout: .milliseconds(3))
        try demand(late.end == .timedOut, "the first read timed out")
        Win32.write(pipe.far, [4, 5])
        let next = await pipe.read(loop, timeout: .seconds(2))
        try demand(next.end == .finished && next.bytes == [4, 5], "the second has the bytes")
        await pipe.close(loop)
    }

    private static func cancelledRead(_ loop: isolated EventLoop) async throws(Unmet) {
        let pipe = try TaskPipe(loop)
        for round in 0..<200 {
            let reader = loop.spawn { loop async -> TaskRead in await pipe.read(loop, timeout: nil) }
            await Task.yield()
            if round.isMultiple(of: 2) { Win32.write(pipe.far, [UInt8(round)]) }
            reader.cancel()
            let found = await reader.value
            if !round.isMultiple(of: 2) { try demand(found.bytes.isEmpty, "no byte was there") }
            if round.isMultiple(of: 2), found.bytes.isEmpty {
                let rest = await pipe.read(loop, timeout: .seconds(2))
                try demand(rest.bytes == [UInt8(round)], "the byte of round \(round)")
            }
        }
        await pipe.close(loop)
    }

    private static func shielded(_ loop: isolated EventLoop) async throws(Unmet) {
        let pipe = try TaskPipe(loop)
        let fiber = loop.spawn { loop async -> Bool in
            try? await loop.sleep(for: .seconds(3_600))
            let refused = await pipe.read(loop, timeout: nil).end == nil
            return await pipe.writeShielded(loop, [7]) && refused
        }
        await Task.yield()
        fiber.cancel()
        try demand(await fiber.value, "last words were said, and by no other operation")
        try demand(Win32.drainPipe(pipe.far, max: 8) == [7], "and they arrived")
        await pipe.close(loop)
    }

    private static func actors(_ loop: isolated EventLoop) async throws(Unmet) {
        let counter = TaskCounter(loop)
        let fibers = (0..<50).map { _ in
            loop.spawn { _ async in
                for _ in 0..<10 {
                    await counter.add()
                    await Task.yield()
                }
            }
        }
        for fiber in fibers { await fiber.value }
        try demand(await counter.total == 500, "calls")
    }

    private static func failure(_ loop: isolated EventLoop) async throws(Unmet) {
        let sleeper = loop.spawn { loop async -> WaitError? in
            do throws(WaitError) { try await loop.sleep(for: .seconds(3_600)) } catch { return error }
            return nil
        }
        loop.spawn(name: "doomed, as the case wants it") { _ async throws(WaitError) in throw .closed }
        try demand(await sleeper.value == .cancelled, "the sleeper was cancelled")
    }
}

private actor TaskCounter: OnLoop {
    nonisolated let loop: EventLoop
    private(set) var total = 0

    init(_ loop: EventLoop) { self.loop = loop }

    func add() { total += 1 }
}
