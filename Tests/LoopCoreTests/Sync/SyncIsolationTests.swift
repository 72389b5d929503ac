import Testing

@testable import LoopCore

// Each call that takes a function, from each kind of caller, which touches its own state in it: the calls have to compile, and the
// functions have to run where their callers do.
@Suite("Functions that run under a lock or a permit") struct SyncIsolationTests {
    @Test("From an actor pinned to the loop") func pinned() throws {
        try Bench.run { bench in
            let owner = PinnedOwner(bench.loop)
            let steps = try bench.loop.run { loop in try await owner.work(Tools(loop)) }
            #expect(steps == 2)
        }
    }

    @Test("From a fiber, that touches what is its own") func fiber() throws {
        try Bench.run { bench in
            let steps = try bench.loop.run { loop in
                let tools = Tools(loop)
                let fiber = loop.spawn { loop in
                    var steps = 0
                    try await tools.mutex.withLock {
                        #expect(loop.isOnLoopThread)
                        await Task.yield()
                        steps += 1
                    }
                    try await tools.semaphore.withPermit {
                        #expect(loop.isOnLoopThread)
                        steps += 1
                    }
                    return steps
                }
                return try await fiber.value
            }
            #expect(steps == 2)
        }
    }

    @Test("From an actor of the pool") func otherActor() async throws {
        let steps = try await Bench.runBesides { bench in
            let owner = FreeOwner()
            return try bench.loop.run { loop in try await owner.work(Tools(loop)) }
        }
        #expect(steps == 2)
    }

    @Test("From the main actor") func mainActor() async throws {
        let steps = try await Bench.runBesides { bench in
            let owner = MainOwner()
            return try bench.loop.run { loop in try await owner.work(Tools(loop)) }
        }
        #expect(steps == 2)
    }

    @Test("Of many callers in all places at once each has the lock for itself") func together() async throws {
        let steps = try await Bench.runBesides { bench in
            let (free, pinned) = (FreeOwner(), PinnedOwner(bench.loop))
            let main = MainOwner()
            return try bench.loop.run { loop in
                let tools = Tools(loop)
                let fibers = (0..<30).map { number in
                    loop.spawn { _ in
                        switch number % 3 {
                        case 0: try await free.work(tools)
                        case 1: try await pinned.work(tools)
                        default: try await main.work(tools)
                        }
                    }
                }
                for fiber in fibers { _ = try await fiber.value }
                #expect(await !tools.mutex.isLocked)
                #expect(await tools.semaphore.permits == 1)
                return await free.steps + pinned.steps + main.steps
            }
        }
        #expect(steps == 60)
    }
}

private struct Tools {
    let mutex: AsyncMutex
    let semaphore: Semaphore
    let inside = Tally()

    init(_ loop: EventLoop) {
        mutex = AsyncMutex(on: loop)
        semaphore = Semaphore(on: loop, permits: 1)
    }

    func enter() {
        inside.add()
        #expect(inside.value == 1)
    }

    func leave() { inside.add(-1) }
}

private actor PinnedOwner: OnLoop {
    nonisolated let loop: EventLoop
    var steps = 0

    init(_ loop: EventLoop) { self.loop = loop }

    func work(_ tools: Tools) async throws -> Int {
        try await tools.mutex.withLock {
            preconditionIsolated()
            tools.enter()
            await Task.yield()
            steps += 1
            tools.leave()
        }
        return try await tools.semaphore.withPermit(timeout: .seconds(60)) {
            steps += 1
            return steps
        }
    }
}

private actor FreeOwner {
    var steps = 0

    func work(_ tools: Tools) async throws -> Int {
        try await tools.mutex.withLock {
            preconditionIsolated()
            tools.enter()
            await Task.yield()
            steps += 1
            tools.leave()
        }
        return try await tools.semaphore.withPermit {
            preconditionIsolated()
            steps += 1
            return steps
        }
    }
}

@MainActor private final class MainOwner {
    var steps = 0

    func work(_ tools: Tools) async throws -> Int {
        try await tools.mutex.withLock {
            MainActor.preconditionIsolated()
            tools.enter()
            await Task.yield()
            steps += 1
            tools.leave()
        }
        return try await tools.semaphore.withPermit {
            MainActor.preconditionIsolated()
            steps += 1
            return steps
        }
    }
}
