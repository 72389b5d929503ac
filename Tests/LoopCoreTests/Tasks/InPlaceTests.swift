import Testing

@testable import LoopCore

@Suite("Waits in place") struct InPlaceTests {
    @Test("A task that waits while nobody else has anything to run is not suspended", arguments: [nil, Duration.milliseconds(5)])
    func alone(timeout: Duration?) throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            bench.port.finishesAsleep()
            let jobs = try bench.loop.run { loop in
                let before = loop.metrics.jobs
                for _ in 0..<3 { _ = try await loop.operations.awaitOp(loop.startRead(handle), timeout: timeout) }
                return loop.metrics.jobs - before
            }
            #expect(jobs == 0)
            #expect(bench.ops.metrics.waitsInPlace == 3)
        }
    }

    @Test("Where somebody else has something to run he does, before the port is asked") func notAlone() throws {
        try Bench.run { bench in
            let (handle, journal) = (try bench.associate(), bench.port.journal)
            bench.port.finishesAsleep()
            try bench.loop.run { loop in
                loop.spawn { _ async in journal.add("somebody else") }
                _ = try await loop.operations.awaitOp(loop.startRead(handle))
                journal.add("behind the wait")
            }
            #expect(journal.lines.filter { $0.contains(" ") } == ["somebody else", "behind the wait"])
            #expect(bench.ops.metrics.waitsInPlace == 0)
        }
    }

    @Test("A batch that brings what others wait for, too: they run before it is waited in place again") func batch() throws {
        try Bench.run { bench in
            let (one, other) = (try bench.associate(3), try bench.associate(4))
            let journal = Journal()
            try bench.loop.run { loop in
                let port = try loop.mock
                let fiber = loop.spawn { loop async throws(OperationError) in
                    _ = try await loop.operations.awaitOp(loop.startRead(other))
                    journal.add("other")
                }
                await Task.yield()
                let waits = try loop.startRead(one)
                port.asleep = { [unowned port] in for request in port.requests { port.finish(request, bytes: [1]) } }
                _ = try await loop.operations.awaitOp(waits)
                journal.add("one")
                let again = try loop.startRead(one)
                port.asleep = { [unowned port] in port.requests.last.map { port.finish($0, bytes: [1]) } }
                _ = try await loop.operations.awaitOp(again)
                journal.add("one again")
                try await fiber.value
            }
            #expect(journal.lines == ["one", "other", "one again"])
        }
    }

    @Test("Its time is up when it said, and it leaves no timer") func timeout() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let (end, took) = try bench.loop.run { loop in
                let began = loop.now
                let id = try loop.startRead(handle)
                let end = try await loop.operations.awaitEnd(of: id, timeout: .milliseconds(5))
                try loop.operations.free(id)
                return (end, loop.now.nanoseconds(since: began))
            }
            #expect(end == .timedOut)
            #expect(took == 5_000_000)
        }
    }

    @Test("A timer that is due is fired while somebody waits in place") func timer() throws {
        try Bench.run { bench in
            let (handle, journal) = (try bench.associate(), Journal())
            try bench.loop.run { loop in
                let port = try loop.mock
                let id = try loop.startRead(handle)
                loop.operations.call(after: .milliseconds(2)) {
                    journal.add("timer")
                    port.finishesAsleep()
                }
                _ = try await loop.operations.awaitOp(id, timeout: .milliseconds(5))
                journal.add("wait")
            }
            #expect(journal.lines == ["timer", "wait"])
        }
    }

    @Test("Whose packets are always there keeps neither timers waiting nor what other threads send") func packetsWithoutEnd() throws {
        try Bench.run { bench in
            let (handle, journal) = (try bench.associate(), Journal())
            try bench.loop.run { loop in
                let port = try loop.mock
                port.answer = { [unowned port] request in
                    port.clock = port.clock.advanced(by: 1_000_000)
                    port.finish(request, bytes: [1])
                    if port.requests.count == 6 { RealThread.elsewhere { loop.post { _ in journal.add("mail") } } }
                    return .owesPacket
                }
                loop.operations.call(after: .microseconds(2_500)) { journal.add("timer") }
                for number in 1...9 {
                    _ = try await loop.operations.awaitOp(loop.startRead(handle))
                    journal.add("\(number)")
                }
                port.answer = { _ in .owesPacket }
            }
            #expect(journal.lines == ["1", "2", "3", "timer", "4", "5", "6", "mail", "7", "8", "9"])
            #expect(bench.ops.metrics.waitsInPlace == 6)
        }
    }

    @Test("A task that another thread cancels meanwhile does not wait on") func cancelledFromElsewhere() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let end = try bench.loop.run { loop in
                let port = try loop.mock
                let fiber = loop.spawn { loop async throws(OperationError) in
                    let id = try loop.startRead(handle)
                    defer { try? loop.operations.free(id) }
                    return try await loop.operations.awaitEnd(of: id)
                }
                port.asleep = { RealThread.elsewhere { fiber.cancel() } }
                return try await fiber.value
            }
            #expect(end == .cancelled)
            #expect(bench.ops.metrics.waitsInPlace == 0)
        }
    }

    @Test("A task that was cancelled before does not wait in place") func cancelledBefore() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            bench.port.finishesAsleep()
            let end = try bench.loop.run { loop in
                try await loop.spawn { loop async throws(OperationError) in
                    let id = try loop.startRead(handle)
                    defer { try? loop.operations.free(id) }
                    cancelThisTask()
                    return try await loop.operations.awaitEnd(of: id)
                }.value
            }
            #expect(end == .cancelled)
        }
    }

    @Test("A task that was begun within another's step does not keep that from going on") func withinAStep() throws {
        try Bench.run { bench in
            let (handle, journal) = (try bench.associate(), Journal())
            try bench.loop.run { loop in
                let port = try loop.mock
                port.asleep = { [unowned port] in
                    journal.add("asleep")
                    port.requests.last.map { port.finish($0, bytes: [1]) }
                }
                let id = try loop.startRead(handle)
                let inner = Task.immediate {
                    _ = try await loop.operations.awaitOpShielded(id)
                    journal.add("inner")
                }
                journal.add("outer")
                try await inner.value
            }
            #expect(journal.lines.prefix(3) == ["outer", "asleep", "inner"])
        }
    }

    @Test("An actor that is not the loop's is nobody's while a task waits") func otherActor() throws {
        try Bench.run { bench in
            let (handle, confined) = (try bench.associate(), Confined(bench.ops, of: bench.ops))
            bench.port.finishesAsleep()
            try bench.loop.run { loop in
                let id = try loop.startRead(handle)
                _ = try await Holder().count(of: id, confined, loop)
            }
            #expect(bench.ops.metrics.waitsInPlace == 0)
        }
    }

    @Test("Who turns the loop himself gets it back") func host() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            bench.port.asleep = { [unowned port = bench.port] in
                if port.bounds.last == .forever, let request = port.requests.last { port.finish(request, bytes: []) }
            }
            let fiber = bench.loop.spawn { loop async throws(OperationError) in
                try await loop.operations.awaitOp(loop.startRead(handle)).count
            }
            for _ in 0..<3 { bench.loop.turn(.poll) }
            #expect(bench.port.bounds.allSatisfy { $0 == .poll })
            bench.port.finish(try bench.request, bytes: [1])
            bench.settle()
            #expect(try bench.loop.run { _ in try await fiber.value } == 1)
            #expect(bench.ops.metrics.waitsInPlace == 0)
        }
    }

    @Test("A run that is over does not wait for a task that is no fiber") func runIsOver() throws {
        try Bench.run { bench in
            let (handle, journal) = (try bench.associate(), Journal())
            let queue = Confined(bench.ops.makeWaitQueue(), of: bench.ops)
            try bench.loop.run { loop in
                let id = try loop.startRead(handle)
                Task(executorPreference: loop) {
                    try await loop.readsLate(id, queue)
                    journal.add("read")
                }
                // The function of the run is woken first, and the task in the same phase of the turn.
                loop.operations.call(after: .milliseconds(1)) { queue.on(loop).wakeAll() }
                try await queue.on(loop).wait()
            }
            journal.add("the run is over")
            bench.settle()
            #expect(journal.lines == ["the run is over", "read"])
            #expect(bench.ops.metrics.waitsInPlace == 0)
        }
    }

    // MARK: for operations of a kind

    @Test("An operation of a kind that somebody waits for in place is told to its kind, within the call", arguments: [1, 2])
    func kind(operations count: Int) throws {
        try Bench.run { bench in
            let (handle, journal) = (try bench.associate(), Journal())
            let ops = bench.ops
            let kind = try ops.kind(on: handle) { id, end in
                journal.add("told \(end)")
                try? ops.free(id)
            }
            let ids = try (0..<count).map { _ in try bench.start(kind) }
            bench.port.asleep = { [unowned port = bench.port] in for request in port.requests { port.finish(request, bytes: [1]) } }
            bench.loop.run { loop async in
                journal.add("in place \(loop.endsInPlace(ids[0]))")
                await Task.yield()
                journal.add("behind")
            }
            // Two are told by the turn, in their order.
            let told = Array(repeating: "told \(WaitEnd.finished)", count: count)
            #expect(journal.lines == (count == 1 ? told + ["in place true", "behind"] : ["in place false"] + told + ["behind"]))
            #expect(ops.metrics.waitsInPlace == (count == 1 ? 1 : 0))
        }
    }

    @Test("What cannot be waited for in place is not") func kindRefused() throws {
        try Bench.run { bench in
            let (handle, ops) = (try bench.associate(), bench.ops)
            let kind = try ops.kind(on: handle) { id, _ in try? ops.free(id) }
            let id = try bench.start(kind)
            #expect(!bench.loop.endsInPlace(id))  // Outside of a run.
            try bench.loop.run { loop in
                let plain = try loop.startRead(handle)
                #expect(!loop.endsInPlace(plain))
                _ = try loop.operations.cancel(plain)
                _ = try await loop.operations.awaitOp(plain)
                #expect(!loop.endsInPlace(plain))
                await loop.spawn { loop async in
                    cancelThisTask()
                    #expect(!loop.endsInPlace(id))
                }.value
                var timeout: Duration? = .milliseconds(3)
                loop.operations.call(after: .milliseconds(1)) {}
                #expect(!loop.operations.endsInPlace(id, timeout: &timeout))
                #expect(timeout == .milliseconds(2))
                _ = try loop.operations.cancel(id)
            }
            #expect(bench.port.bounds.allSatisfy { $0 != .forever })
        }
    }
}

/// An actor that is not the loop's and runs its tasks wherever they come from, so within the loop's present job.
private actor Holder: SerialExecutor {
    // SAFETY: whoever calls the actor retains it.
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe asUnownedSerialExecutor() }

    // SAFETY: one task at a time comes here.
    nonisolated func enqueue(_ job: consuming ExecutorJob) { unsafe UnownedJob(job).runSynchronously(on: asUnownedSerialExecutor()) }

    func count(of id: OperationID, _ ops: Confined<Operations>, _ loop: EventLoop) async throws -> Int {
        try await ops.on(loop).awaitOpShielded(id).count
    }
}

extension MockPort {
    /// Whatever was begun last is finished when the loop sleeps.
    fileprivate func finishesAsleep() {
        asleep = { [unowned self] in if let request = requests.last { finish(request, bytes: [1]) } }
    }
}

extension EventLoop {
    /// As ``Operations/endsInPlace(_:timeout:isolation:)``, without a bound.
    fileprivate nonisolated func endsInPlace(_ id: OperationID, isolation: (any Actor)? = #isolation) -> Bool {
        var timeout: Duration?
        return operationsOnThisThread().endsInPlace(id, timeout: &timeout, isolation: isolation)
    }

    /// Waits for an operation that is finished when the loop sleeps, once it has been woken.
    fileprivate func readsLate(_ id: OperationID, _ queue: Confined<WaitQueue>) async throws {
        try await queue.on(self).wait()
        try mock.finishesAsleep()
        _ = try await operations.awaitOpShielded(id)
    }
}

extension Bench {
    // SAFETY: the memory is left to the port.
    fileprivate func start(_ kind: OperationKind) throws(OperationError) -> OperationID {
        let id = unsafe try ops.prepare(kind, capacity: 4).id
        try ops.read(id)
        return id
    }
}
