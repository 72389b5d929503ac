import Testing

@testable import LoopCore

@Suite("Actors that live on a loop") struct OnLoopTests {
    @Test("Their methods run on the loop's thread, and use the seam with their own state") func adapter() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let (loop, here) = (bench.loop, RealThread.current)
            let counter = Counter(loop)
            let (total, thread) = try loop.run { loop in
                let port = try loop.mock
                port.asleep = { if let request = port.requests.last { port.finish(request, bytes: [1, 1]) } }
                for _ in 0..<3 { try await counter.read(handle) }
                port.asleep = {}
                return (await counter.total, await counter.thread)
            }
            #expect(total == 6)
            #expect(thread == here)
        }
    }

    @Test("A call from a task of another loop, on another thread, hops to the loop and back by itself") func hops() throws {
        try Bench.run { bench in
            let counter = Counter(bench.loop)
            let (loop, here, right, isOver) = (bench.loop, RealThread.current, Tally(), Tally())
            let other = RealThread {
                let there = RealThread.current
                let seen = (try? Bench(Limits()))?.loop.run { _ in [await counter.thread, RealThread.current] }
                if seen == [here, there] { right.add() }
                isOver.add()
                loop.post { _ in }
            }
            while isOver.value == 0 { bench.loop.turn() }
            other.join()
            bench.settle()
            #expect(right.value == 1)
        }
    }

    @Test("They know their loop's thread for their own, with no task about") func assumptions() throws {
        try Bench.run { bench in
            let counter = Counter(bench.loop)
            counter.preconditionIsolated()
            counter.assumeIsolated { $0.add(4) }
            #expect(counter.assumeIsolated { $0.total } == 4)
        }
    }

    @Test("On another thread an assumption of their isolation ends the process") func wrongAssumption() async {
        await #expect(processExitsWith: .failure) {
            let counter = Counter(try Bench(Limits()).loop)
            RealThread.elsewhere { counter.preconditionIsolated() }
        }
    }

    @Test("They keep their loop alive") func lifetime() throws {
        let counter = try counterOfItsOwn()
        #expect(counter.loop.isOnLoopThread)
        counter.loop.shutdown()
    }

    @Test("A call to one whose loop has ended still runs, on the thread that makes it") func afterShutdown() throws {
        let counter = try counterOfItsOwn()
        counter.loop.shutdown()
        let total = Tally()
        RealThread.elsewhere {
            (try? Bench(Limits()))?.loop.run { _ in
                await counter.add(2)
                total.add(await counter.total)
            }
        }
        #expect(total.value == 2)
    }

    private func counterOfItsOwn() throws -> Counter { Counter(try Bench(Limits()).loop) }
}

/// The smallest adapter: it counts the bytes it reads.
private actor Counter: OnLoop {
    nonisolated let loop: EventLoop
    var total = 0

    init(_ loop: EventLoop) { self.loop = loop }

    var thread: UInt { RealThread.current }

    func add(_ number: Int) { total += number }

    func read(_ handle: AssociatedHandle) async throws {
        let ops = loop.operations(for: self)
        let outcome = try await ops.perform(on: handle, capacity: 8) { op in
            total += 0
            return op.read()
        }
        total += outcome.count
    }
}
