import Testing

@testable import LoopCore

@Suite("Awaiting an operation's end") struct AwaitEndTests {
    @Test("The result is left with the operation, and taken once") func resultStays() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let (end, bytes, again): (WaitEnd, Int, Result<Completion, OperationError>) = try bench.loop.run { loop in
                let (ops, port) = (loop.operations, try loop.mock)
                let id = try loop.startRead(handle)
                port.asleep = { if let request = port.requests.last { port.finish(request, bytes: [1, 2]) } }
                let end = try await ops.awaitEnd(of: id)
                port.asleep = {}
                #expect(try ops.state(id) == .completed)
                let bytes = try ops.withResult(id) { _, bytes in bytes.byteCount }
                return (end, bytes, Result { () throws(OperationError) in try ops.takeFacts(id) })
            }
            #expect(end == .finished)
            #expect(bytes == 2)
            #expect(again == .failure(.staleID))
            #expect(bench.ops.metrics.completed == 0)
        }
    }

    @Test("What has completed is not waited for") func completedAlready() throws {
        try Bench.run { bench in
            let id = try bench.read(bench.associate())
            bench.port.finish(try bench.request, bytes: [3])
            bench.settle()
            let (end, turns) = try bench.loop.run { loop in
                let before = loop.metrics.turns
                let end = try await loop.operations.awaitEnd(of: id)
                return (end, loop.metrics.turns - before)
            }
            #expect(end == .finished)
            #expect(turns == 0)
            #expect(try bench.ops.takeFacts(id).count == 1)
        }
    }

    @Test("Past its timeout it has ended for that, with its packet to look at; a timeout around it is told what it cut")
    func timeouts() throws {
        try Bench.run { bench in
            let handle = try bench.associate(4)
            let (end, severity, cut) = try bench.loop.run { loop in
                let ops = loop.operations
                let id = try loop.startRead(handle)
                let end = try await ops.awaitEnd(of: id, timeout: .milliseconds(5))
                let severity = try ops.takeFacts(id).severity
                var cut: WaitedFor?
                let second = try loop.startRead(handle, tag: 9)
                do {
                    try await loop.timeout(.milliseconds(3)) {
                        if try await ops.awaitEnd(of: second) == .timedOut { throw WaitError.timedOut }
                    }
                } catch let error as TimeoutError {
                    cut = error.waitedFor
                }
                try ops.free(second)
                return (end, severity, cut)
            }
            #expect(end == .timedOut && severity == .aborted)
            #expect(cut == .operation(handle: NativeHandle(rawValue: 4), tag: 9))
        }
    }

    @Test("An operation whose driver does not answer is gone; what cannot be awaited is refused") func stuckAndRefused() throws {
        try Bench.run { bench in
            let handle = try bench.associate(6)
            bench.port.driver = .stuck
            let idle = try bench.prepare(handle)
            let (end, after, prepared) = try bench.loop.run { loop in
                let ops = loop.operations
                let id = try loop.startRead(handle, tag: 77)
                let end = try await ops.awaitEnd(of: id, timeout: .milliseconds(1))
                let after = await loop.refusal(of: id)
                return (end, after, await loop.refusal(of: idle))
            }
            guard case .stuck(let operation) = end else {
                Issue.record("not stuck")
                return
            }
            #expect(operation.handle == NativeHandle(rawValue: 6) && operation.tag == 77)
            #expect(after == .wrongState(expected: .submitted, found: .orphaned))
            #expect(prepared == .wrongState(expected: .submitted, found: .prepared))
            // SAFETY: no native call was made for it.
            unsafe try bench.ops.abandon(idle)
            bench.port.finish(try bench.request, MockPort.aborted)
            bench.settle()
        }
    }

    @Test("A task that is no fiber hears that it is cancelled, and its own timeout") func notAFiber() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let ends = try bench.loop.run { loop in
                let (first, second) = (try loop.startRead(handle), try loop.startRead(handle))
                let cancelled = Task(executorPreference: loop) { await loop.endOnly(of: first, timeout: nil) }
                let late = Task(executorPreference: loop) { await loop.endOnly(of: second, timeout: .milliseconds(2)) }
                await Task.yield()
                cancelled.cancel()
                return [await cancelled.value, await late.value]
            }
            #expect(ends == [.cancelled, .timedOut])
            #expect(bench.ops.metrics.completed == 0)
        }
    }
}

extension EventLoop {
    /// Why there is no wait; nil where there was one.
    fileprivate func refusal(of id: OperationID) async -> OperationError? {
        do throws(OperationError) { _ = try await operations.awaitEnd(of: id) } catch { return error }
        return nil
    }

    /// How a wait ended; nil where it was refused. The operation is freed.
    fileprivate func endOnly(of id: OperationID, timeout: Duration?) async -> WaitEnd? {
        guard let end = try? await operations.awaitEnd(of: id, timeout: timeout) else { return nil }
        try? operations.free(id)
        return end
    }
}
