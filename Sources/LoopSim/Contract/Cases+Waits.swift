import LoopCore

// C8: deadlines and drivers that do not answer. C9: cancelled waits.
extension ContractSuite {
    static let waits: [ContractCase] = [
        ContractCase("C8", "a read past its deadline ends as timed out, and loses no byte") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            let id = try run.read(handle)
            let asked = run.loop.now
            let end = try run.wait(id, .milliseconds(2))
            try run.turn(until: "the deadline") { end.value != nil }
            run.expect(end.value == .timedOut, "the end")
            run.expect(run.loop.now.nanoseconds(since: asked) >= 2_000_000, "not before its time")
            _ = try run.finish(id)
            run.fixture.feed(ends.far, [1, 2])
            run.expectEqual(try run.finish(try run.read(handle)).bytes, [1, 2], "the next read gets what came")
        },
        ContractCase("C8", "bytes that came before the deadline was looked at are returned as finished") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            run.fixture.feed(ends.far, [3])
            let id = try run.read(handle)
            let end = try run.wait(id, .zero)
            try run.turn(until: "the packet") { end.value != nil }
            let found = try run.finish(id)
            // Either the read had the byte before it was asked to end, or it is still there for the next one.
            if end.value == .finished {
                run.expectEqual(found.bytes, [3], "the byte")
            } else {
                run.expect(found.bytes.isEmpty && end.value == .timedOut, "an aborted read shows nothing")
                run.expectEqual(try run.finish(try run.read(handle)).bytes, [3], "the byte, later")
            }
        },
        ContractCase("C8", "a driver that answers neither the operation nor its cancel is stuck, and nobody waits for it") {
            run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            run.leavesStuck = true
            let remote = Found<RemoteCompletion>()
            let end = Found<WaitEnd>()
            let id = try run.must("perform") { () throws(OperationError) in
                try run.ops.perform(on: handle, tag: 77, timeout: .milliseconds(1)) { op in
                    op.remote { remote.value = $0 }
                } completed: {
                    _, ended in
                    end.set(ended)
                }
            }
            try run.turn(until: "the grace to run out") { end.value != nil }
            guard case .stuck(let operation) = end.value else { throw .failed("the end is not stuck") }
            run.expect(operation.handle == handle.native && operation.tag == 77, "it names the handle and the tag")
            run.expect(operation.ageNanoseconds >= 20_000_000, "it names the age")
            run.expect(run.phase(id) == .orphaned, "the record is orphaned, not freed")
            run.expectEqual(run.ops.metrics.operations.orphaned, 1, "orphans")
            remote.value?.complete(count: 1)
            try run.turn(until: "the late packet") { run.ops.metrics.operations.orphaned == 0 }
            run.expectEqual(Int(run.ops.metrics.operations.orphansReturned), 1, "orphans returned")
            run.expect(run.phase(id) == .free, "its memory is back")
            run.expectEqual(end.count, 1, "calls of the waiter")
        },
        ContractCase("C8", "a cancelled operation whose driver does not answer is stuck after the grace, and its waiter is told") {
            run throws(CaseFailure) in
            let (id, answer) = try run.startUnanswered()
            let end = try run.wait(id, nil)
            let asked = run.loop.now
            _ = try run.must("cancel") { () throws(OperationError) in try run.ops.cancel(id) }
            run.expect(run.phase(id) == .submitted && end.value == nil, "a cancel frees nothing and tells nobody")
            try run.turn(until: "the grace to run out") { end.value != nil }
            guard case .stuck = end.value else { throw .failed("the end is not stuck") }
            run.expect(run.loop.now.nanoseconds(since: asked) >= 20_000_000, "not before the grace")
            run.expectEqual(end.count, 1, "calls of the waiter")
            try run.takeHome(id, answer)
        },
        ContractCase("C8", "a wait that begins after the cancel is as bounded as one that began before it") { run throws(CaseFailure) in
            let (id, answer) = try run.startUnanswered()
            _ = try run.must("cancel") { () throws(OperationError) in try run.ops.cancel(id) }
            run.loop.turn(.poll)
            let end = try run.wait(id, .seconds(3600))
            try run.turn(until: "the grace to run out") { end.value != nil }
            guard case .stuck = end.value else { throw .failed("the end is not stuck") }
            try run.takeHome(id, answer)
        },
        ContractCase("C8", "retiring a handle with a stuck operation ends within the grace and says so") { run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            run.leavesStuck = true
            let remote = Found<RemoteCompletion>()
            try run.must("perform") { () throws(OperationError) in
                _ = try run.ops.perform(on: handle) { op in
                    op.remote { remote.value = $0 }
                } completed: { _, _ in
                }
            }
            let report = Found<RetireReport>()
            try run.must("retire") { () throws(OperationError) in try run.ops.retire(handle) { report.set($0) } }
            try run.turn(until: "the grace to run out") { report.value != nil }
            run.expectEqual(report.value?.stuck ?? -1, 1, "stuck operations")
            remote.value?.complete()
            try run.turn(until: "the late packet") { run.ops.metrics.operations.orphaned == 0 }
            run.expectEqual(run.ops.metrics.handles, 0, "associations")
        },
        ContractCase("C9", "a cancelled wait ends as cancelled when the packet says so") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            let id = try run.read(handle)
            let end = try run.wait(id, nil)
            run.ops.cancelWait(id)
            run.expect(end.value == nil, "a cancel only posts")
            try run.turn(until: "the packet") { end.value != nil }
            run.expect(end.value == .cancelled, "the end")
            _ = try run.finish(id)
            run.fixture.feed(ends.far, [8])
            run.expectEqual(try run.finish(try run.read(handle)).bytes, [8], "no byte was lost")
        },
        ContractCase(
            "C9", "a wait that stands for nothing outside ends at once: by a cancel, by its deadline, by a retire",
            limits: ContractRun.limitsWithLongGrace
        ) { run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            let (cancelled, timedOut, retired) = (try run.standBy(handle), try run.standBy(handle, .zero), try run.standBy(handle))
            let timersBefore = run.ops.metrics.timersFired
            _ = try run.must("cancel") { () throws(OperationError) in try run.ops.cancel(cancelled.id) }
            let again = try run.must("cancel") { () throws(OperationError) in try run.ops.cancel(cancelled.id) }
            run.expect(!again, "there is nothing left to ask")
            cancelled.remote.value?.complete(count: 1)
            run.expect(cancelled.end.value == nil, "nobody is told from within a call")
            try run.turn(until: "the packets") { cancelled.end.value != nil && timedOut.end.value != nil }
            run.expect(cancelled.end.value == .cancelled, "the end of the one that was cancelled")
            run.expect(timedOut.end.value == .timedOut, "the end of the one whose deadline passed")
            try run.must("retire") { () throws(OperationError) in try run.ops.retire(handle) }
            try run.turn(until: "the last packet") { retired.end.value != nil }
            // The deadline's own timer; a grace that is waited for is another.
            run.expectEqual(run.ops.metrics.timersFired - timersBefore, 1, "no grace is waited for: timers fired")
            for wait in [cancelled, timedOut, retired] {
                let (completion, _) = try run.finish(wait.id)
                run.expect(completion.severity == .aborted && completion.count == 0, "the packet says aborted")
            }
            run.expectPackets(3)
        },
        ContractCase("C9", "a wait that stands for nothing outside ends as finished if it was completed first") { run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            let wait = try run.standBy(handle)
            wait.remote.value?.complete(count: 7)
            run.ops.cancelWait(wait.id)
            try run.turn(until: "the packet") { wait.end.value != nil }
            run.expect(wait.end.value == .finished, "the end")
            run.expectEqual(try run.finish(wait.id).completion.count, 7, "the count")
            run.expectPackets(1)
        },
        ContractCase("C9", "a wait for an operation that is cancelled ends as cancelled when the packet says so") {
            run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            let ids = [try run.read(handle), try run.read(handle)]
            let first = try run.wait(ids[0], nil)
            for id in ids { _ = try run.must("cancel") { () throws(OperationError) in try run.ops.cancel(id) } }
            let second = try run.wait(ids[1], nil)
            run.expect(first.value == nil && second.value == nil, "nobody is told from within a call")
            try run.turn(until: "the packets") { first.value != nil && second.value != nil }
            run.expect(first.value == .cancelled, "the end of the wait that began before the cancel")
            run.expect(second.value == .cancelled, "the end of the wait that began after it")
            for id in ids { _ = try run.finish(id) }
            run.fixture.feed(ends.far, [8])
            run.expectEqual(try run.finish(try run.read(handle)).bytes, [8], "no byte was lost")
        },
        ContractCase("C9", "a wait for an operation that was done before its cancel has finished") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            let id = try run.read(handle)
            let end = try run.wait(id, nil)
            run.fixture.feed(ends.far, [6])
            try run.turn(until: "the packet") { run.phase(id) == .completed }
            let asked = try run.must("cancel") { () throws(OperationError) in try run.ops.cancel(id) }
            run.expect(!asked, "there is nothing left to cancel")
            try run.turn(until: "the waiter") { end.value != nil }
            run.expect(end.value == .finished, "success beats cancellation")
            run.expectEqual(try run.finish(id).bytes, [6], "the byte")
        },
        ContractCase("C9", "a cancel that is posted for an id that is dead by then does nothing") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            let old = try run.read(handle)
            run.fixture.feed(ends.far, [1])
            _ = try run.finish(old)
            let new = try run.read(handle)
            let end = try run.wait(new, nil)
            run.ops.cancelWait(old)
            run.loop.turn(.poll)
            run.loop.turn(.poll)
            run.expect(end.value == nil && run.phase(new) == .submitted, "the new operation waits on")
            run.fixture.feed(ends.far, [2])
            try run.turn(until: "the byte") { end.value != nil }
            run.expect(end.value == .finished, "the end")
            _ = try run.finish(new)
        },
        ContractCase("C9", "a packet that is settled together with the cancel is returned as finished") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            let id = try run.read(handle)
            let end = try run.wait(id, nil)
            run.fixture.feed(ends.far, [6])
            try run.turn(until: "the packet") { run.phase(id) == .completed || end.value != nil }
            run.ops.cancelWait(id)
            try run.turn(until: "the waiter") { end.value != nil }
            run.expect(end.value == .finished, "success beats cancellation")
            run.expectEqual(try run.finish(id).bytes, [6], "the byte")
        },
    ]
}

extension ContractRun {
    /// Starts an operation whose driver answers neither it nor its cancel, and says how to let its packet come after all.
    // SAFETY: no native call is made, so the memory is nobody's until `answer` posts the one packet that is owed.
    func startUnanswered() throws(CaseFailure) -> (id: OperationID, answer: () -> Void) {
        leavesStuck = true
        let (handle, _) = try stream()
        return try must("submitted") { () throws(OperationError) in
            let memory = unsafe try ops.prepare(handle)
            let (id, block) = unsafe (memory.id, memory.controlBlock)
            unsafe try ops.submitted(id)
            return (id, { [ops] in unsafe ops.forgePacket(block, Completion(count: 0)) })
        }
    }

    /// Lets the packet of an orphan come, and looks for its memory.
    func takeHome(_ id: OperationID, _ answer: () -> Void) throws(CaseFailure) {
        expect(phase(id) == .orphaned, "the record is orphaned, not freed")
        answer()
        try turn(until: "the late packet") { ops.metrics.operations.orphaned == 0 }
        expect(phase(id) == .free, "its memory is back")
    }

    /// Performs an operation that waits for its remote completion and for nothing outside.
    func standBy(
        _ handle: AssociatedHandle, _ timeout: Duration? = nil
    ) throws(CaseFailure) -> (id: OperationID, remote: Found<RemoteCompletion>, end: Found<WaitEnd>) {
        let (remote, end) = (Found<RemoteCompletion>(), Found<WaitEnd>())
        let id = try must("perform") { () throws(OperationError) in
            try ops.perform(on: handle, timeout: timeout) { op in
                op.remote(whenCancelled: .ends) { remote.value = $0 }
            } completed: { _, ended in
                end.set(ended)
            }
        }
        return (id, remote, end)
    }

    /// Waits by callback; the end is put where it can be looked at.
    func wait(_ id: OperationID, _ timeout: Duration?) throws(CaseFailure) -> Found<WaitEnd> {
        let end = Found<WaitEnd>()
        try must("wait") { () throws(OperationError) in try ops.onCompletion(id, timeout: timeout) { _, ended in end.set(ended) } }
        return end
    }
}
