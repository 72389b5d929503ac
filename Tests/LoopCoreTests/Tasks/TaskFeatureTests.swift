import Testing

@testable import LoopCore

@Suite("Swift's task features, on the loop") struct TaskFeatureTests {
    @TaskLocal private static var tag = "none"

    @Test("A task of high priority overtakes those that wait, and one of low priority waits for them") func priorities() throws {
        try Bench.run { bench in
            let journal = Journal()
            bench.loop.run { loop async in
                for (name, priority) in [("low", TaskPriority.background), ("usual", .medium), ("high", .high)] {
                    for number in 0..<3 { loop.spawn(priority: priority) { _ async in journal.add("\(name) \(number)") } }
                }
            }
            let names = ["high", "usual", "low"].flatMap { name in (0..<3).map { "\(name) \($0)" } }
            #expect(journal.lines == names)
        }
    }

    @Test("A storm of high priority starves nobody") func starvation() throws {
        try Bench.run { bench in
            let (storm, patient) = (Tally(), Tally())
            bench.loop.run { loop async in
                for _ in 0..<4 {
                    loop.spawn(priority: .high) { _ async in
                        while patient.value < 20, storm.value < 1_000_000 {
                            storm.add()
                            await Task.yield()
                        }
                    }
                }
                loop.spawn(priority: .background) { _ async in
                    for _ in 0..<20 {
                        patient.add()
                        await Task.yield()
                    }
                }
            }
            #expect(patient.value == 20)
            #expect(storm.value < 20 * 2 * ReadyQueue.streakMax * 4)
        }
    }

    @Test("A fiber has its name and its priority") func names() throws {
        try Bench.run { bench in
            let seen = bench.loop.run { loop async in
                await loop.spawn(name: "reader", priority: .high) { _ async in "\(Task.name ?? "") \(Task.currentPriority == .high)" }.value
            }
            #expect(seen == "reader true")
        }
    }

    @Test("Escalating a suspended fiber is told to it, and its next step is urgent") func escalation() throws {
        try Bench.run { bench in
            let journal = Journal()
            bench.loop.run { loop async in
                let fiber = loop.spawn(priority: .background) { loop async in
                    await withTaskPriorityEscalationHandler {
                        try? await loop.sleep(for: .milliseconds(1))
                        journal.add("woken at \(Task.currentPriority == .high)")
                    } onPriorityEscalated: { _, new in
                        journal.add("escalated \(new == .high)")
                    }
                }
                await Task.yield()
                await Task.yield()
                fiber.escalate(to: .high)
                await fiber.value
            }
            #expect(journal.lines == ["escalated true", "woken at true"])
        }
    }

    @Test("Task-local values go with a fiber, and through its suspensions") func locals() throws {
        try Bench.run { bench in
            let seen = bench.loop.run { loop async in
                let fiber = Self.$tag.withValue("outer") {
                    loop.spawn { loop async -> [String] in
                        let before = Self.tag
                        try? await loop.sleep(for: .milliseconds(1))
                        return [before, Self.tag]
                    }
                }
                return await fiber.value
            }
            #expect(seen == ["outer", "outer"])
        }
    }

    @Test("An actor's isolated deinit runs on the loop, wherever its last reference is dropped") func isolatedDeinit() throws {
        try Bench.run { bench in
            let (here, seen) = (RealThread.current, Journal())
            let loop = bench.loop
            RealThread.elsewhere { drop(Watched(loop) { seen.add("\(RealThread.current == here)") }) }
            #expect(seen.lines.isEmpty)
            bench.settle()
            #expect(seen.lines == ["true"])
        }
    }

    @Test("Async sequences, task groups and async let stay on the loop's thread") func structures() throws {
        try Bench.run { bench in
            let here = RealThread.current
            let threads = bench.loop.run { loop async -> Set<UInt> in
                var threads: Set<UInt> = []
                let (stream, feed) = AsyncStream.makeStream(of: UInt.self)
                loop.spawn { _ async in
                    for _ in 0..<3 { feed.yield(RealThread.current) }
                    feed.finish()
                }
                for await thread in stream { threads.insert(thread) }
                threads.insert(RealThread.current)
                return threads.union(await childThreads())
            }
            #expect(threads == [here])
        }
    }
}

private func childThreads() async -> Set<UInt> {
    async let one = currentThread()
    var seen = await withTaskGroup(of: UInt.self) { group in
        for _ in 0..<3 { group.addTask { RealThread.current } }
        var seen: Set<UInt> = []
        while let thread = await group.next() { seen.insert(thread) }
        return seen
    }
    seen.insert(await one)
    return seen
}

private func currentThread() async -> UInt {
    await Task.yield()
    return RealThread.current
}

private func drop(_ watched: consuming Watched) {}

private actor Watched: OnLoop {
    nonisolated let loop: EventLoop
    private let end: @Sendable () -> Void

    init(_ loop: EventLoop, _ end: @escaping @Sendable () -> Void) {
        self.loop = loop
        self.end = end
    }

    isolated deinit { end() }
}
