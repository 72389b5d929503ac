import Synchronization
import Testing

@testable import LoopCore

// Seeded storms: many fibers, random timeouts, and cancels that race the wakes, on the loop's thread and from another. Whatever comes of a
// wait, what it was for is neither lost nor doubled, and nobody is left waiting.
@Suite("Waits under random cancellation") struct SyncStressTests {
    private static let seeds: [UInt64] = Array(1...20)

    @Test("Permits: as many at the end as at the beginning, and never more inside", arguments: seeds) func permits(seed: UInt64) throws {
        try Bench.run { bench in
            let (inside, entered) = (Tally(), Tally())
            try bench.loop.run { loop in
                let semaphore = Semaphore(on: loop, permits: 3)
                try await Self.storm(loop, seed, fibers: 60) { loop, random in
                    try await semaphore.withPermit(timeout: Self.someTimeout(random)) {
                        inside.add()
                        #expect(inside.value <= 3)
                        defer { inside.add(-1) }
                        try await Self.dawdle(loop, random)
                    }
                    entered.add()
                }
                #expect(await semaphore.permits == 3)
            }
            #expect(entered.value > 0)
        }
    }

    @Test("A lock: one inside at a time, and free at the end", arguments: seeds) func lock(seed: UInt64) throws {
        try Bench.run { bench in
            let (inside, entered) = (Tally(), Tally())
            try bench.loop.run { loop in
                let mutex = AsyncMutex(on: loop)
                try await Self.storm(loop, seed, fibers: 60) { loop, random in
                    try await mutex.withLock(timeout: Self.someTimeout(random)) {
                        inside.add()
                        #expect(inside.value == 1)
                        defer { inside.add(-1) }
                        try await Self.dawdle(loop, random)
                    }
                    entered.add()
                }
                #expect(await !mutex.isLocked)
            }
            #expect(entered.value > 0)
        }
    }

    @Test("A condition: whoever it told had the lock, and as many were told as signals found a waiter", arguments: seeds)
    func condition(seed: UInt64) throws {
        try Bench.run { bench in
            let (inside, told) = (Tally(), Tally())
            try bench.loop.run { loop in
                let (mutex, condition, items) = (AsyncMutex(on: loop), Condition(on: loop), Tally())
                try await Self.storm(loop, seed, fibers: 60) { loop, random in
                    try await mutex.withLock {
                        inside.add()
                        #expect(inside.value == 1)
                        defer { inside.add(-1) }
                        if random.next() % 2 == 0 {
                            items.add()
                            return condition.signal()
                        }
                        while items.value == 0 {
                            inside.add(-1)
                            defer { inside.add() }
                            try await condition.wait(for: mutex, timeout: Self.someTimeout(random) ?? .milliseconds(30))
                        }
                        items.add(-1)
                        told.add()
                    }
                }
                #expect(await !mutex.isLocked)
            }
            #expect(told.value > 0)
        }
    }

    @Test("A channel: what was sent without an error is received or still there, once, and each sender's in its order", arguments: seeds)
    func channel(seed: UInt64) throws {
        try Bench.run { bench in
            let (sent, received) = (Numbers(), Numbers())
            try bench.loop.run { loop in
                let channel = Channel<Int>(on: loop, capacity: 1 + Int(seed % 4))
                try await Self.storm(loop, seed, fibers: 60) { loop, random in
                    let number = sent.nextNumber()
                    for step in 0..<4 {
                        if number % 2 == 0 {
                            try await channel.send(number * 10 + step, timeout: Self.someTimeout(random) ?? .milliseconds(30))
                            sent.add(number * 10 + step)
                        } else if let element = try await channel.receive(timeout: Self.someTimeout(random) ?? .milliseconds(30)) {
                            received.add(element)
                        }
                        if random.next() % 3 == 0 { try await Self.dawdle(loop, random) }
                    }
                }
                channel.finish()
                while let element = try await channel.receive() { received.add(element) }
            }
            #expect(sent.all.sorted() == received.all.sorted())
            for (_, elements) in Dictionary(grouping: received.all, by: { $0 / 10 }) { #expect(elements == elements.sorted()) }
            #expect(!sent.all.isEmpty)
        }
    }

    @Test("A channel fed by threads, with receivers that are cancelled by another: nothing that was accepted is lost", arguments: 1...10)
    func threads(seed: UInt64) throws {
        try Bench.run { bench in
            let received = Numbers()
            try bench.loop.run { loop in
                let (channel, senders) = (Channel<Int>(on: loop, capacity: 3), Channel<Void>(on: loop, capacity: 2))
                for thread in 0..<2 {
                    RealThread {
                        for number in 0..<100 { while channel.trySend(thread * 100 + number) != .sent { RealThread.giveWay() } }
                        #expect(senders.trySend(()) == .sent)
                    }.detach()
                }
                let random = Random(seed)
                while received.all.count < 150 {
                    let fiber = loop.spawn { _ in if let element = try? await channel.receive() { received.add(element) } }
                    if random.next() % 3 == 0 { RealThread { fiber.cancel() }.detach() }
                    if random.next() % 2 == 0 { _ = await fiber.value }
                }
                loop.spawn { _ in while let element = try await channel.receive() { received.add(element) } }
                for _ in 0..<2 { _ = try await senders.receive() }
                channel.finish()
            }
            #expect(received.all.sorted() == Array(0..<200))
        }
    }

    // MARK: the storm

    /// Runs so many fibers, each with chances of its own, and cancels some of them at random moments, half of them from another thread.
    private static func storm(
        _ loop: isolated EventLoop, _ seed: UInt64, fibers count: Int,
        _ body: @escaping @Sendable (isolated EventLoop, Random) async throws -> Void
    ) async throws {
        let random = Random(seed)
        var fibers: [Fiber<Void, Never>] = []
        for number in 0..<count {
            let own = Random(seed &* 1_000 &+ UInt64(number))
            // What it throws is what became of a wait.
            fibers.append(loop.spawn { loop in _ = await failure { try await body(loop, own) } })
            if random.next() % 2 == 0 { try await dawdle(loop, random) }
            guard random.next() % 3 == 0 else { continue }
            let victim = fibers[Int(random.next() % UInt64(fibers.count))]
            if random.next() % 2 == 0 { victim.cancel() } else { RealThread { victim.cancel() }.join() }
        }
        for fiber in fibers { try await fiber.join(timeout: .seconds(60)) }
    }

    private static func someTimeout(_ random: Random) -> Duration? {
        random.next() % 3 == 0 ? .microseconds(Int(random.next() % 3_000)) : nil
    }

    private static func dawdle(_ loop: EventLoop, _ random: Random) async throws {
        if random.next() % 2 == 0 { return await Task.yield() }
        try await loop.sleep(for: .microseconds(Int(random.next() % 1_000)))
    }
}

/// A generator that one fiber uses, in functions that may not have one `inout`.
private final class Random: Sendable {
    private let stored: Mutex<SeededRandom>

    init(_ seed: UInt64) { stored = Mutex(SeededRandom(seed: seed)) }

    func next() -> UInt64 { stored.withLock { $0.next() } }
}

/// Numbers, in the order in which they came.
private final class Numbers: Sendable {
    private let stored = Mutex<[Int]>([])
    private let last = Tally()

    func add(_ number: Int) { stored.withLock { $0.append(number) } }

    var all: [Int] { stored.withLock { $0 } }

    func nextNumber() -> Int {
        last.add()
        return last.value
    }
}
