import Testing

@testable import LoopCore

@Suite("Awaiting an operation") struct AwaitTests {
    @Test("The task goes on when the packet has come, with the outcome") func finished() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let bytes = try bench.loop.run { loop in
                let (ops, port) = (loop.operations, try loop.mock)
                let id = try loop.startRead(handle)
                port.asleep = { if let request = port.requests.last { port.finish(request, bytes: [1, 2]) } }
                let outcome = try await ops.awaitOp(id)
                port.asleep = {}
                #expect(outcome.end == .finished)
                return outcome.copyBytes()
            }
            #expect(bytes == [1, 2])
        }
    }

    @Test("A packet that came first is taken without a suspension") func completedAlready() throws {
        try Bench.run { bench in
            let id = try bench.read(bench.associate())
            bench.port.finish(try bench.request, bytes: [3])
            bench.settle()
            let (bytes, turns) = try bench.loop.run { loop in
                let before = loop.metrics.turns
                let bytes = try await loop.operations.awaitOp(id).copyBytes()
                return (bytes, loop.metrics.turns - before)
            }
            #expect(bytes == [3])
            #expect(turns == 0)
        }
    }

    @Test("Past its timeout the operation is asked to end, and the packet says that it did") func timeout() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let (end, took) = try bench.loop.run { loop in
                let id = try loop.startRead(handle)
                let began = loop.now
                let outcome = try await loop.operations.awaitOp(id, timeout: .milliseconds(5))
                return (outcome.end, loop.now.nanoseconds(since: began))
            }
            #expect(end == .timedOut)
            #expect(took == 5_000_000)
        }
    }

    @Test("Work that was done before the cancel got there is finished") func tooLate() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            bench.port.driver = .tooLate
            let (end, count) = try bench.loop.run { loop in
                let outcome = try await loop.operations.awaitOp(loop.startRead(handle), timeout: .zero)
                return (outcome.end, outcome.count)
            }
            #expect(end == .finished && count == 1)
        }
    }

    @Test("A driver that does not answer is waited for until the grace; the outcome names the operation", arguments: [true, false])
    func stuck(refuses: Bool) throws {
        try Bench.run { bench in
            let handle = try bench.associate(6)
            bench.port.driver = refuses ? .refusing : .stuck
            let end = try bench.loop.run { loop in
                try await loop.operations.awaitOp(loop.startRead(handle, tag: 77), timeout: .milliseconds(1)).end
            }
            guard case .stuck(let operation) = end else {
                Issue.record("not stuck")
                return
            }
            #expect(operation.handle == NativeHandle(rawValue: 6) && operation.tag == 77)
            #expect(operation.ageNanoseconds == Limits().cancelGraceNanoseconds + 1_000_000)
            #expect(bench.ops.metrics.operations.refusedCancels == (refuses ? 1 : 0))
            bench.port.finish(try bench.request, MockPort.aborted)
            bench.settle()
        }
    }

    @Test("An operation has one waiter") func alreadyAwaited() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let (first, second) = try bench.loop.run { loop in
                let (ops, port) = (loop.operations, try loop.mock)
                let id = try loop.startRead(handle)
                let first = Task(executorPreference: loop) { await loop.end(of: id) }
                await Task.yield()
                let second = await loop.end(of: id)
                port.asleep = { if let request = port.requests.last { port.finish(request, bytes: []) } }
                let ends = (await first.value, second)
                port.asleep = {}
                _ = ops
                return ends
            }
            #expect(first == .success(.finished))
            #expect(second == .failure(.alreadyAwaited))
        }
    }

    @Test("A task that does not prefer the loop is refused if somebody else waits by the time it would") func overtaken() async throws {
        var limits = Limits()
        // So that the other has its turn when this one, which has looked already, is queued once more on its way to the wait.
        limits.jobsPerTurnMax = 1
        let ends = try await Bench.runBesides(limits) { bench in
            let handle = try bench.associate()
            return try bench.loop.run { loop in
                let (id, port) = (try loop.startRead(handle), try loop.mock)
                let late = Task.detached { await loop.noteAndEnd(of: id) }
                while port.journal.count("about to wait") == 0 { await Task.yield() }
                let first = Task(executorPreference: loop) { await loop.end(of: id) }
                for _ in 0..<5 { await Task.yield() }
                if let request = port.requests.last { port.finish(request, bytes: [1]) }
                return [await first.value, await late.value]
            }
        }
        #expect(ends == [.success(.finished), .failure(.alreadyAwaited)])
    }

    @Test("What is not in flight cannot be awaited") func wrongState() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let prepared = try bench.prepare(handle)
            let dead = try bench.prepare(handle)
            // SAFETY: no native call was made for either.
            unsafe try bench.ops.abandon(dead)
            let ends = bench.loop.run { loop in [await loop.end(of: prepared), await loop.end(of: dead)] }
            #expect(ends == [.failure(.wrongState(expected: .submitted, found: .prepared)), .failure(.staleID)])
            // SAFETY: as above.
            unsafe try bench.ops.abandon(prepared)
            let foreign = try bench.read(handle)
            try Bench.run { other in
                #expect(other.loop.run { loop in await loop.end(of: foreign) } == .failure(.foreignID))
                #expect(other.ops.metrics.operations.foreignIDs == 1)
            }
            bench.port.finish(try bench.request, bytes: [])
            bench.settle()
            try bench.ops.free(foreign)
        }
    }
}

extension EventLoop {
    // SAFETY: the memory is left to the port.
    func startRead(_ handle: AssociatedHandle, tag: UInt64 = 0) throws(OperationError) -> OperationID {
        let id = unsafe try operations.prepare(handle, tag: tag, capacity: 16).id
        try operations.read(id)
        return id
    }

    /// As ``end(of:timeout:)``, with a note in the journal of the port right before.
    func noteAndEnd(of id: OperationID) async -> Result<WaitEnd, OperationError> {
        (try? mock)?.journal.add("about to wait")
        return await end(of: id)
    }

    /// How the wait for an operation ended, or why there was none.
    func end(of id: OperationID, timeout: Duration? = nil) async -> Result<WaitEnd, OperationError> {
        do throws(OperationError) { return .success(try await operations.awaitOp(id, timeout: timeout).end) } catch {
            return .failure(error)
        }
    }
}
