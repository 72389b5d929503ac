import LoopCore

// C7: a call in the wrong state is a typed error that names the state expected and the state found, and changes nothing.
extension ContractSuite {
    static let transitions: [ContractCase] = [
        ContractCase("C7", "while prepared, everything but submitting and abandoning is refused") { run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            let id = try run.must("prepare") { () throws(OperationError) in try run.prepare(handle, capacity: 4) }
            run.expectRefusal(.wrongState(expected: .submitted, found: .prepared), "cancel") { () throws(OperationError) in
                try run.ops.cancel(id)
            }
            run.expectRefusal(.wrongState(expected: .completed, found: .prepared), "result") { () throws(OperationError) in
                try run.ops.result(id)
            }
            run.expectRefusal(.wrongState(expected: .completed, found: .prepared), "free") { () throws(OperationError) in
                try run.ops.free(id)
            }
            run.expectRefusal(.wrongState(expected: .submitted, found: .prepared), "onCompletion") { () throws(OperationError) in
                try run.ops.onCompletion(id) { _, _ in }
            }
            run.expect(run.phase(id) == .prepared, "nothing changed")
            // SAFETY: no native call was made.
            try run.must("abandon") { () throws(OperationError) in unsafe try run.ops.abandon(id) }
            run.expect(run.phase(id) == .free, "abandoned is gone")
        },
        ContractCase("C7", "while submitted, submitting again, abandoning, taking and freeing are refused") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            let id = try run.read(handle)
            run.expectRefusal(.wrongState(expected: .prepared, found: .submitted), "submitted") { () throws(OperationError) in
                unsafe try run.ops.submitted(id)
            }
            run.expectRefusal(.wrongState(expected: .prepared, found: .submitted), "abandon") { () throws(OperationError) in
                unsafe try run.ops.abandon(id)
            }
            run.expectRefusal(.wrongState(expected: .prepared, found: .submitted), "read") { () throws(OperationError) in
                try run.ops.read(id)
            }
            run.expectRefusal(.wrongState(expected: .completed, found: .submitted), "result") { () throws(OperationError) in
                try run.ops.result(id)
            }
            run.expectRefusal(.wrongState(expected: .completed, found: .submitted), "free") { () throws(OperationError) in
                try run.ops.free(id)
            }
            run.fixture.feed(ends.far, [1])
            run.expectEqual(try run.finish(id).bytes, [1], "the operation went on undisturbed")
        },
        ContractCase("C7", "while completed, submitting and abandoning are refused, and the result is taken once") {
            run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            let id = try run.read(handle)
            run.fixture.feed(ends.far, [1])
            try run.turn(until: "the packet") { run.phase(id) == .completed }
            run.expectRefusal(.wrongState(expected: .prepared, found: .completed), "submitted") { () throws(OperationError) in
                unsafe try run.ops.submitted(id)
            }
            run.expectRefusal(.wrongState(expected: .prepared, found: .completed), "abandon") { () throws(OperationError) in
                unsafe try run.ops.abandon(id)
            }
            _ = try run.finish(id)
            run.expectEveryCallRefuses(id, with: .staleID)
        },
        ContractCase("C7", "an abandoned and a freed operation are dead") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            let abandoned = try run.must("prepare") { () throws(OperationError) in try run.prepare(handle) }
            // SAFETY: no native call was made.
            try run.must("abandon") { () throws(OperationError) in unsafe try run.ops.abandon(abandoned) }
            run.expectEveryCallRefuses(abandoned, with: .staleID)
            let freed = try run.read(handle)
            run.fixture.feed(ends.far, [1])
            try run.turn(until: "the packet") { run.phase(freed) == .completed }
            try run.must("free") { () throws(OperationError) in try run.ops.free(freed) }
            run.expectEveryCallRefuses(freed, with: .staleID)
        },
        ContractCase("C7", "an operation has one waiter, and its result is the waiter's to take") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            let id = try run.read(handle)
            let end = Found<WaitEnd>()
            try run.must("wait") { () throws(OperationError) in try run.ops.onCompletion(id) { _, ended in end.set(ended) } }
            run.expectRefusal(.alreadyAwaited, "a second waiter") { () throws(OperationError) in try run.ops.onCompletion(id) { _, _ in } }
            run.fixture.feed(ends.far, [1])
            try run.turn(until: "the waiter") { end.value != nil }
            run.expectEqual(end.count, 1, "calls")
            run.expectEqual(try run.finish(id).bytes, [1], "the byte")
        },
        ContractCase("C7", "a waiter that comes after the packet is told in a later phase") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            let id = try run.read(handle)
            run.fixture.feed(ends.far, [1])
            try run.turn(until: "the packet") { run.phase(id) == .completed }
            let end = Found<WaitEnd>()
            try run.must("wait") { () throws(OperationError) in try run.ops.onCompletion(id) { _, ended in end.set(ended) } }
            run.expect(end.value == nil, "not told from within the call")
            run.expectRefusal(.alreadyAwaited, "result behind the waiter's back") { () throws(OperationError) in try run.ops.result(id) }
            run.expectRefusal(.alreadyAwaited, "free behind the waiter's back") { () throws(OperationError) in try run.ops.free(id) }
            try run.turn(until: "the waiter") { end.value != nil }
            run.expectEqual(try run.finish(id).bytes, [1], "the byte")
        },
        ContractCase("C11", "completions are delivered on the loop's thread, outside every call of the seam") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            run.fixture.feed(ends.far, [1])
            let wasInside = Found<Bool>()
            let inCall = Found<Bool>()
            inCall.value = true
            let id = try run.must("perform") { () throws(OperationError) in
                try run.ops.perform(on: handle, capacity: 8) { op in
                    op.read()
                } completed: { [loop = run.loop] _, _ in
                    wasInside.set(inCall.value == true || !loop.isOnLoopThread)
                }
            }
            inCall.value = false
            try run.turn(until: "the completion") { wasInside.value != nil }
            run.expect(wasInside.value == false, "delivered from within the call")
            _ = try run.finish(id)
        },
    ]
}
