import Testing

@testable import LoopCore

@Suite("Fairness") struct FairnessTests {
    @Test("Between two looks at the port at most so many jobs run, and the rest in the next turns") func jobsPerTurn() throws {
        try Bench.run(limits { $0.jobsPerTurnMax = 10 }) { bench in
            let ran = Tally()
            for _ in 0..<25 { bench.loop.post { _ in ran.add() } }
            for expected in [10, 20, 25] {
                bench.loop.turn(.poll)
                #expect(ran.value == expected)
            }
            #expect(bench.port.bounds.count == 3)
        }
    }

    @Test("While jobs are left the port is polled, whatever the caller allows") func pollsWhileJobsAreLeft() throws {
        try Bench.run(limits { $0.jobsPerTurnMax = 10 }) { bench in
            for _ in 0..<15 { bench.loop.post { _ in } }
            bench.loop.turn(.forever)
            #expect(bench.port.bounds == [.poll])
        }
    }

    @Test("Jobs that take long give way when their slice of time is over") func timeSlice() throws {
        try Bench.run(limits { $0.jobNanosecondsPerTurnMax = 1_000 }) { bench in
            let ran = Tally()
            bench.loop.turn(.poll)
            for _ in 0..<100 {
                bench.loop.post { loop in
                    ran.add()
                    (try? loop.mock)?.clock.nanoseconds += 100
                }
            }
            bench.loop.turn(.poll)
            // The clock is read once in so many jobs, so the slice is over at the first such reading past its end.
            #expect(ran.value == Limits.jobsPerClockRead)
            bench.settle()
            #expect(ran.value == 100)
        }
    }

    @Test("The slice begins with the turn, however long ago the port was last asked") func sliceAfterPause() throws {
        try Bench.run { bench in
            let ran = Tally()
            bench.loop.turn(.poll)
            bench.advance(nanoseconds: 1_000_000_000)
            for _ in 0..<100 { bench.loop.post { _ in ran.add() } }
            bench.loop.turn(.poll)
            #expect(ran.value == 100)
        }
    }

    @Test("Of many timers that are due so many fire in a turn, and the port is not slept in before the rest") func timersPerTurn() throws {
        try Bench.run(limits { $0.timersPerTurnMax = 2 }) { bench in
            var fired = 0
            for _ in 0..<5 { bench.ops.call(at: bench.loop.now) { fired += 1 } }
            for expected in [2, 4, 5] {
                #expect(bench.loop.nextDeadline <= bench.loop.now)
                bench.loop.turn()
                #expect(fired == expected)
            }
            #expect(bench.loop.nextDeadline == .distantFuture)
        }
    }

    @Test("A task that yields runs again behind the look at the port, where somebody turns the loop") func yields() throws {
        try Bench.run { bench in
            let journal = bench.port.journal
            bench.loop.spawn { _ async in
                for _ in 0..<3 {
                    journal.add("run")
                    await Task.yield()
                }
            }
            bench.settle()
            let seen = journal.lines.filter { $0 == "run" || $0 == "wait" }
            #expect(seen.starts(with: ["run", "wait", "run", "wait", "run", "wait"]))
        }
    }

    @Test("In a run tasks that yield put the look at the port off, for a few turns or a hundredth of a millisecond", arguments: [0, 4_000])
    func yieldsInRun(nanosecondsPerStep: UInt64) throws {
        try Bench.run { bench in
            let journal = bench.port.journal
            let stepsMax = nanosecondsPerStep == 0 ? Limits.looksPutOffMax + 1 : 4
            bench.loop.run { loop async in
                let port = try? loop.mock
                for _ in 0..<100 {
                    journal.add("run")
                    if let port { port.clock = port.clock.advanced(by: nanosecondsPerStep) }
                    await Task.yield()
                }
            }
            let steps = journal.lines.filter { $0 == "run" || $0 == "wait" }.split(separator: "wait").map(\.count)
            #expect(steps.reduce(0, +) == 100)
            #expect((steps.max() ?? 0) <= stepsMax && steps.count < 60, "\(steps)")
        }
    }

    @Test("Two tasks that yield take turns") func yieldsInTurn() throws {
        try Bench.run { bench in
            let journal = Journal()
            bench.loop.run { loop async in
                for name in ["a", "b"] {
                    loop.spawn { _ in
                        for _ in 0..<5 {
                            journal.add(name)
                            await Task.yield()
                        }
                    }
                }
            }
            #expect(journal.lines == ["a", "b", "a", "b", "a", "b", "a", "b", "a", "b"])
        }
    }

    @Test("A packet is settled while tasks yield without end") func packetUnderStorm() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let turns = Tally()
            let count = try bench.loop.run { loop in
                let ops = loop.operations
                let storm = loop.spawn { _ in
                    while !Task.isCancelled {
                        turns.add()
                        await Task.yield()
                    }
                }
                let outcome = try await ops.perform(on: handle, capacity: 4) { op in
                    let decision = op.read()
                    if let request = (try? loop.mock)?.requests.last { (try? loop.mock)?.finish(request, bytes: [1]) }
                    return decision
                }
                storm.cancel()
                return outcome.count
            }
            #expect(count == 1)
            #expect(turns.value <= 2)
        }
    }

    @Test("Operations that are done at once skip the queue so many times in a turn, and then take it") func inlineCompletions() throws {
        try Bench.run(limits { $0.inlineCompletionsMax = 5 }) { bench in
            let handle = try bench.associate()
            let allowed = try bench.loop.run { loop in
                let (ops, port) = (loop.operations, try loop.mock)
                port.answer = { request in
                    guard request.inline == .never else { return .completed(Completion(count: 1)) }
                    port.finish(request, Completion(count: 1))
                    return .owesPacket
                }
                for _ in 0..<12 { _ = try await ops.perform(on: handle, capacity: 1) { op in op.read() } }
                port.answer = { _ in .owesPacket }
                return port.requests.map { $0.inline == .allowed }
            }
            #expect(allowed.filter { $0 }.count == 10)
            #expect(allowed.firstIndex(of: false) == 5)
            #expect(bench.ops.metrics.operations.inlineCompletions == 10)
        }
    }

    @Test("Waiters whose operations complete inline again and again cannot hold the turn for ever") func inlineCallbacks() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let chain = InlineChain(bench.ops, handle, left: 5_000)
            chain.next()
            bench.loop.turn(.poll)
            #expect(chain.left > 0, "all of them in one turn, before anything else had its chance")
            bench.settle()
            #expect(chain.left == 0)
        }
    }

    private func limits(_ change: (inout Limits) -> Void) -> Limits {
        var limits = Limits()
        change(&limits)
        return limits
    }
}

/// Each operation is done at once, and its waiter starts the next.
private final class InlineChain {
    private let ops: Operations
    private let handle: AssociatedHandle
    var left: Int

    init(_ ops: Operations, _ handle: AssociatedHandle, left: Int) {
        self.ops = ops
        self.handle = handle
        self.left = left
    }

    func next() {
        guard left > 0 else { return }
        left -= 1
        _ = try? ops.perform(on: handle) { op in
            op.completedInline(count: 0)
        } completed: { id, _ in
            try? self.ops.free(id)
            self.next()
        }
    }
}
