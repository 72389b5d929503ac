import LoopCore

// C10: shutdown. C15: what keeps what alive.
extension ContractSuite {
    static let ends: [ContractCase] = [
        ContractCase("C10", "a shutdown ends what waits, tells its waiters, and reports nothing left") { run throws(CaseFailure) in
            let loop = run.fixture.makeLoop(ContractRun.limits)
            let ops = loop.operationsOnThisThread()
            let ends = run.openStream()
            let end = Found<WaitEnd>()
            try run.startRead(ops, ends.near) { _, ended in end.set(ended) }
            let report = loop.shutdown()
            run.expect(report.isClean, "nothing is left")
            run.expect(end.value == .cancelled, "the waiter was told")
            run.expectEqual(end.count, 1, "calls of the waiter")
            run.expect(loop.shutdown().isClean, "a second shutdown is harmless")
        },
        ContractCase("C10", "a shutdown with a stuck operation ends within its bound and reports it") { run throws(CaseFailure) in
            let loop = run.fixture.makeLoop(ContractRun.limits)
            let ops = loop.operationsOnThisThread()
            let ends = run.openStream()
            let remote = Found<RemoteCompletion>()
            let end = Found<WaitEnd>()
            let handle = try run.associate(ends.near, with: ops)
            try run.must("perform") { () throws(OperationError) in
                _ = try ops.perform(on: handle, tag: 5) { op in
                    op.remote { remote.value = $0 }
                } completed: { _, ended in
                    end.set(ended)
                }
            }
            let began = ops.now
            let report = loop.shutdown()
            let took = ops.now.nanoseconds(since: began)
            run.expect(took < 1_000_000_000, "within its bound, with room for a busy machine")
            run.expectEqual(report.operations.count, 1, "operations left")
            run.expect(report.operations.first?.tag == 5 && report.operations.first?.handle == ends.near, "named by handle and tag")
            if case .stuck = end.value {} else { run.expect(false, "the waiter was told that it is stuck") }
            run.expectEqual(Int(ops.metrics.operations.leaked), 1, "leaked")
            remote.value?.complete()
        },
        ContractCase("C10", "a loop that ends without time takes every packet that lies ready, however many batches they are") {
            run throws(CaseFailure) in
            var limits = ContractRun.limitsWithLongGrace
            limits.shutdownBoundNanoseconds = 0
            limits.packetsPerBatchMax = 16
            let loop = run.fixture.makeLoop(limits)
            let ops = loop.operationsOnThisThread()
            let handle = try run.associate(run.openStream().near, with: ops)
            var (remotes, ended): ([RemoteCompletion], Int) = ([], 0)
            let number = 100
            for _ in 0..<number {
                try run.must("perform") { () throws(OperationError) in
                    _ = try ops.perform(on: handle) { op in
                        op.remote { remotes.append($0) }
                    } completed: { _, end in
                        if end == .finished { ended += 1 }
                    }
                }
            }
            for remote in remotes { remote.complete() }
            let report = loop.shutdown()
            run.expectEqual(report.operations.count, 0, "operations left")
            run.expectEqual(ended, number, "operations that ended")
        },
        ContractCase("C10", "a loop that has ended refuses operations and handles") { run throws(CaseFailure) in
            let loop = run.fixture.makeLoop(ContractRun.limits)
            let ops = loop.operationsOnThisThread()
            let ends = run.openStream()
            let handle = try run.associate(ends.near, with: ops)
            loop.shutdown()
            run.expectRefusal(.closed, "prepare") { () throws(OperationError) in
                // SAFETY: nothing is prepared.
                unsafe try ops.prepare(handle).id
            }
            do throws(AssociationError) {
                _ = try ops.associate(ends.near)
                run.expect(false, "an ended loop accepted a handle")
            } catch { run.expect(error == .closed, "the reason") }
        },
        ContractCase("C15", "a view of the seam keeps its loop alive") { run throws(CaseFailure) in
            let ops = run.fixture.makeLoop(ContractRun.limits).operationsOnThisThread()
            let ends = run.openStream()
            let end = Found<WaitEnd>()
            try run.startRead(ops, ends.near) { _, ended in end.set(ended) }
            run.fixture.feed(ends.far, [1])
            while end.value == nil { ops.loop.turn() }
            run.expect(end.value == .finished, "the end")
            ops.loop.shutdown()
        },
        ContractCase("C15", "what is posted to a loop that has ended still runs") { run throws(CaseFailure) in
            let loop = run.fixture.makeLoop(ContractRun.limits)
            loop.shutdown()
            let calls = CallCount()
            loop.post { _ in calls.add() }
            loop.post { loop in
                calls.add()
                loop.post { _ in calls.add() }
            }
            run.expectEqual(calls.count, 3, "calls that ran")
        },
        ContractCase("C15", "a result outlives the loop that made it") { run throws(CaseFailure) in
            let loop = run.fixture.makeLoop(ContractRun.limits)
            let ops = loop.operationsOnThisThread()
            let ends = run.openStream()
            let done = Found<OperationID>()
            try run.startRead(ops, ends.near) { id, _ in done.set(id) }
            run.fixture.feed(ends.far, [1, 2, 3])
            while done.value == nil { loop.turn() }
            guard let id = done.value else { throw .failed("no id") }
            let outcome = try run.must("result") { () throws(OperationError) in try ops.result(id) }
            loop.shutdown()
            run.expectEqual(outcome.copyBytes(), [1, 2, 3], "its bytes")
        },
    ]
}

extension ContractRun {
    func associate(_ handle: NativeHandle, with ops: Operations) throws(CaseFailure) -> AssociatedHandle {
        do throws(AssociationError) { return try ops.associate(handle) } catch { throw .failed("associate was refused") }
    }

    /// Starts a read on a loop of the case's own.
    func startRead(
        _ ops: Operations, _ handle: NativeHandle, _ completed: @escaping (OperationID, WaitEnd) -> Void
    ) throws(CaseFailure) {
        let associated = try associate(handle, with: ops)
        try must("perform") { () throws(OperationError) in
            _ = try ops.perform(on: associated, capacity: 16, { op in op.read() }, completed: completed)
        }
    }
}

/// Counts calls of functions that must be Sendable. One thread uses it.
private final class CallCount: Sendable {
    private nonisolated(unsafe) var stored = 0

    // SAFETY: the suite is one thread.
    var count: Int { unsafe stored }

    // SAFETY: as above.
    func add() { unsafe stored += 1 }
}
