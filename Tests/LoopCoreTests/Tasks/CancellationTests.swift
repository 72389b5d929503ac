import Testing

@testable import LoopCore

@Suite("Cancelling a task that awaits an operation") struct CancellationTests {
    @Test("From within the loop: the operation is asked to end, and the packet says that it did") func inside() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let end = try bench.loop.run { loop in
                let id = try loop.startRead(handle)
                let waiting = Task(executorPreference: loop) { await loop.end(of: id) }
                await Task.yield()
                waiting.cancel()
                return await waiting.value
            }
            #expect(end == .success(.cancelled))
            #expect(bench.port.journal.count("cancel") == 1)
        }
    }

    @Test("From another thread, which wakes the loop", arguments: 0..<10)
    func elsewhere(round: Int) throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let end = try bench.loop.run { loop in
                let id = try loop.startRead(handle)
                let waiting = Task(executorPreference: loop) { await loop.end(of: id) }
                await Task.yield()
                let canceller = RealThread { waiting.cancel() }
                let end = await waiting.value
                canceller.join()
                return end
            }
            #expect(end == .success(.cancelled))
        }
    }

    @Test("A task that is cancelled on entry waits for the packet of what it submitted") func onEntry() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let end = try bench.loop.run { loop in
                let id = try loop.startRead(handle)
                let waiting = Task(executorPreference: loop) { await loop.end(of: id) }
                waiting.cancel()
                return await waiting.value
            }
            #expect(end == .success(.cancelled))
        }
    }

    @Test("Between the submission and the wait, in a task that prefers the loop and in one that does not", arguments: [true, false])
    func beforeTheWait(prefersLoop: Bool) async throws {
        let (end, cancels) = try await Bench.runBesides { bench in
            let handle = try bench.associate()
            let end = bench.loop.run { loop in
                if prefersLoop { return await Task(executorPreference: loop) { await loop.endOfCancelledRead(handle) }.value }
                return await Task.detached { await loop.endOfCancelledRead(handle) }.value
            }
            return (end, bench.port.journal.count("cancel"))
        }
        #expect(end == .success(.cancelled))
        #expect(cancels == 1)
    }

    @Test("Work that was done first is returned, cancelled or not") func successFirst() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            bench.port.driver = .tooLate
            let end = try bench.loop.run { loop in
                let id = try loop.startRead(handle)
                let waiting = Task(executorPreference: loop) { await loop.end(of: id) }
                await Task.yield()
                waiting.cancel()
                return await waiting.value
            }
            #expect(end == .success(.finished))
        }
    }

    @Test("A driver that does not answer the cancel is stuck after the grace") func stuck() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            bench.port.driver = .stuck
            let end = try bench.loop.run { loop in
                let id = try loop.startRead(handle)
                let waiting = Task(executorPreference: loop) { await loop.end(of: id) }
                await Task.yield()
                waiting.cancel()
                return try await waiting.value.get()
            }
            guard case .stuck = end else {
                Issue.record("not stuck")
                return
            }
            bench.port.finish(try bench.request, MockPort.aborted)
            bench.settle()
        }
    }

    @Test("A cancel after the deadline changes nothing: the deadline was first") func afterDeadline() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            bench.port.driver = .stuck
            let end = try bench.loop.run { loop in
                let (id, port) = (try loop.startRead(handle), try loop.mock)
                let waiting = Task(executorPreference: loop) { await loop.end(of: id, timeout: .milliseconds(1)) }
                await Task.yield()
                port.clock = port.clock.advanced(by: 1_000_000)
                while port.journal.count("cancel") == 0 { await Task.yield() }
                waiting.cancel()
                await Task.yield()
                if let request = port.requests.last { port.finish(request, MockPort.aborted) }
                return await waiting.value
            }
            #expect(end == .success(.timedOut))
            #expect(bench.port.journal.count("cancel") == 1)
        }
    }

    @Test("A cancel that races the packet from another thread ends the wait once, one way or the other", arguments: 0..<50)
    func race(round: Int) throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let end = try bench.loop.run { loop in
                let (id, port) = (try loop.startRead(handle), try loop.mock)
                let waiting = Task(executorPreference: loop) { await loop.end(of: id) }
                await Task.yield()
                let canceller = RealThread { waiting.cancel() }
                for _ in 0..<(round % 5) { await Task.yield() }
                if !port.journal.lines.contains("cancel"), let request = port.requests.last {
                    port.driver = .stuck
                    port.finish(request, bytes: [1])
                }
                let end = await waiting.value
                canceller.join()
                return end
            }
            #expect([.success(.finished), .success(.cancelled)].contains(end))
        }
    }
}

extension EventLoop {
    /// Reads in a task that is cancelled once the read is submitted.
    fileprivate func endOfCancelledRead(_ handle: AssociatedHandle) async -> Result<WaitEnd, OperationError> {
        do throws(OperationError) {
            let outcome = try await operations.perform(on: handle, capacity: 4, timeout: .seconds(1)) { op in
                // SAFETY: the task is used within the call.
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                return op.read()
            }
            return .success(outcome.end)
        } catch { return .failure(error) }
    }
}
