import Testing

@testable import LoopCore

@Suite("Shutting a loop down") struct ShutdownTests {
    @Test("A loop with nothing in flight ends at once") func idle() throws {
        let bench = try Bench(Limits())
        let before = bench.port.clock
        #expect(bench.loop.shutdown().isClean)
        #expect(bench.port.isClosed)
        #expect(bench.port.clock == before)
        #expect(bench.loop.shutdown().isClean)
    }

    @Test("The port is closed once, with the loop's end and not again when the loop is gone") func closedOnce() throws {
        let journal = try endedLoopsJournal()
        #expect(journal.count("close") == 1)
    }

    private func endedLoopsJournal() throws -> Journal {
        let bench = try Bench(Limits())
        bench.loop.shutdown()
        return bench.port.journal
    }

    @Test("A loop that is dropped closes its port") func dropped() throws {
        let journal = try droppedLoopsJournal()
        #expect(journal.count("close") == 1)
    }

    private func droppedLoopsJournal() throws -> Journal { try Bench(Limits()).port.journal }

    @Test("Tasks that await are told, and go on to their end, before it returns") func tasksFinish() throws {
        let bench = try Bench(Limits())
        let handle = try bench.associate()
        let journal = bench.port.journal
        bench.loop.spawn { loop in
            let end = (try? loop.startRead(handle)).map { id in (id, loop) }
            guard let end else { return }
            let seen = await end.1.end(of: end.0)
            journal.add(seen == .success(.cancelled) ? "cancelled" : "otherwise")
        }
        bench.settle()
        #expect(bench.loop.shutdown().isClean)
        #expect(journal.count("cancelled") == 1)
    }

    @Test("A task whose driver is stuck goes on too, and learns it") func stuckTaskFinishes() throws {
        let bench = try Bench(Limits())
        let handle = try bench.associate()
        let journal = bench.port.journal
        bench.port.driver = .stuck
        bench.loop.spawn { loop in
            guard let id = try? loop.startRead(handle) else { return }
            if case .success(.stuck) = await loop.end(of: id) { journal.add("stuck") }
        }
        bench.settle()
        #expect(bench.loop.shutdown().operations.count == 1)
        #expect(journal.count("stuck") == 1)
    }

    @Test("Jobs that are left when the bound runs out still run") func jobsLeft() throws {
        var limits = Limits()
        limits.shutdownBoundNanoseconds = 0
        let bench = try Bench(limits)
        let ran = Tally()
        for _ in 0..<3 { bench.loop.post { _ in ran.add() } }
        bench.loop.spawn { _ in
            await Task.yield()
            ran.add()
        }
        bench.loop.shutdown()
        #expect(ran.value == 4)
    }

    @Test("A stuck operation is waited for until the bound, reported, and leaked") func stuck() throws {
        let bench = try Bench(Limits())
        bench.port.driver = .stuck
        let id = try bench.read(bench.associate(4), tag: 9)
        var end: WaitEnd?
        try bench.ops.onCompletion(id) { end = $1 }
        let began = bench.port.clock
        let report = bench.loop.shutdown()
        #expect(bench.port.clock.nanoseconds(since: began) == Limits().shutdownBoundNanoseconds)
        #expect(report.operations.map(\.tag) == [9])
        #expect(report.operations.map(\.phase) == [.submitted])
        guard case .stuck = end else {
            Issue.record("the waiter is told")
            return
        }
        #expect(bench.ops.metrics.operations.leaked == 1)
    }

    @Test("An accepted handle that nobody took is closed when nobody can take it any more") func accepted() throws {
        var bench: Bench? = try Bench(Limits())
        let port = try #require(bench?.port)
        try acceptAndEnd(#require(bench))
        #expect(port.closedAcquired.isEmpty, "its result can still be taken")
        bench = nil
        #expect(port.closedAcquired == [NativeHandle(rawValue: 77)])
    }

    private func acceptAndEnd(_ bench: Bench) throws {
        let id = try bench.prepare(bench.associate())
        try bench.ops.accept(id)
        bench.port.finish(try bench.request, Completion(count: 0, acquired: NativeHandle(rawValue: 77)))
        bench.settle()
        bench.loop.shutdown()
    }

    @Test("A call that comes late runs on the thread that brings it, which is the loop's for that time") func late() throws {
        let bench = try Bench(Limits())
        let (loop, right) = (bench.loop, Tally())
        loop.shutdown()
        #expect(!loop.isOnLoopThread)
        RealThread.elsewhere {
            let there = RealThread.current
            loop.post { loop in
                if loop.isOnLoopThread, RealThread.current == there { right.add() }
                // One that a late call brings runs with it.
                loop.post { _ in right.add() }
            }
            if !loop.isOnLoopThread { right.add() }
        }
        #expect(right.value == 3)
    }

    @Test("Functions of timers that will never fire are let go of, though they keep the seam") func timersReleased() throws {
        let gone = Tally()
        try endWithTimer(gone)
        #expect(gone.value == 1)
    }

    private func endWithTimer(_ gone: Tally) throws {
        let bench = try Bench(Limits())
        let (witness, ops) = (Witness(gone), bench.ops)
        ops.call(after: .seconds(3_600)) {
            witness.stay()
            _ = ops.now
        }
        bench.loop.shutdown()
    }

    @Test("Waiters are let go of when they have been told") func waitersReleased() throws {
        let gone = Tally()
        try Bench.run { bench in
            let handle = try bench.associate()
            do {
                let witness = Witness(gone)
                let id = try bench.read(handle)
                try bench.ops.onCompletion(id, timeout: .seconds(1)) { [ops = bench.ops] id, _ in
                    witness.stay()
                    try? ops.free(id)
                }
                bench.port.finish(try bench.request, bytes: [])
            }
            bench.settle()
            #expect(gone.value == 1)
        }
    }
}
