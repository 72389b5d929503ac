import LoopCore

// C1: exactly one packet for each operation that owes one. C3: a cancel is a request. C14: what the kernel is given.
extension ContractSuite {
    static let packets: [ContractCase] = [
        ContractCase("C1", "a read that can finish at once gives exactly one packet") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            run.fixture.feed(ends.far, [1, 2, 3])
            let id = try run.read(handle)
            let (completion, bytes) = try run.finish(id)
            run.expectEqual(bytes, [1, 2, 3], "the bytes")
            run.expectEqual(completion.count, 3, "the count")
            run.expectPackets(1)
        },
        ContractCase("C1", "a read that has to wait gives exactly one packet") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            let id = try run.read(handle)
            run.loop.turn(.poll)
            run.expect(run.phase(id) == .submitted, "nothing came, so nothing may complete")
            run.fixture.feed(ends.far, [9])
            let (completion, bytes) = try run.finish(id)
            run.expectEqual(bytes, [9], "the bytes")
            run.expect(completion.error == .none && completion.severity == .success, "a byte is a success")
            run.expectPackets(1)
        },
        ContractCase("C1", "reads complete in the order they were submitted") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            var ids: [OperationID] = []
            for _ in 0..<8 { ids.append(try run.read(handle, capacity: 2)) }
            run.fixture.feed(ends.far, Array(0..<16))
            for (place, id) in ids.enumerated() {
                let (_, bytes) = try run.finish(id)
                run.expectEqual(bytes, [UInt8(place * 2), UInt8(place * 2 + 1)], "read \(place)")
            }
            run.expectPackets(8)
        },
        ContractCase("C1", "a call that was not made owes no packet and leaves nothing in flight") { run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            run.expectRefusal(.refused(SystemCode(rawValue: 5)), "perform") { () throws(OperationError) in
                try run.ops.perform(on: handle, capacity: 4) { op in
                    op.abandon(SystemCode(rawValue: 5))
                } completed: { _, _ in
                    run.expect(false, "nobody is told of an operation that was not made")
                }
            }
            run.expectPackets(0)
        },
        ContractCase("C1", "a write of more than the buffer holds is refused, and the operation stays prepared") {
            run throws(CaseFailure) in
            let (handle, _) = try run.stream(for: .write)
            let id = try run.must("prepare") { () throws(OperationError) in try run.prepare(handle, capacity: 4) }
            for count in [5, -1] {
                run.expectRefusal(.capacityExceeded(requested: count, limit: 4), "write") { () throws(OperationError) in
                    try run.ops.write(id, count: count)
                }
            }
            run.expectRefusal(.capacityExceeded(requested: 5, limit: 4), "write") { () throws(OperationError) in
                try run.ops.write(id, segments: [0..<1, 3..<5])
            }
            run.expect(run.phase(id) == .prepared, "nothing changed")
            // SAFETY: no native call was made.
            try run.must("abandon") { () throws(OperationError) in unsafe try run.ops.abandon(id) }
            run.expectPackets(0)
        },
        ContractCase("C1", "a write that fits gives exactly one packet with the whole count") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream(for: .write)
            let (completion, _) = try run.finish(try run.write(handle, [5, 6, 7]))
            run.expectEqual(completion.count, 3, "the count")
            run.expectEqual(run.fixture.drain(ends.far, max: 10), [5, 6, 7], "what arrived")
            run.expectPackets(1)
        },
        ContractCase("C1", "a completion posted from elsewhere gives exactly one packet, however often it is sent") {
            run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            let end = Found<WaitEnd>()
            let remote = Found<RemoteCompletion>()
            let id = try run.must("perform") { () throws(OperationError) in
                try run.ops.perform(on: handle) { op in
                    op.remote { remote.value = $0 }
                } completed: { _, ended in
                    end.set(ended)
                }
            }
            remote.value?.complete(count: 7)
            remote.value?.complete(count: 8)
            try run.turn(until: "the remote completion") { end.value != nil }
            let (completion, _) = try run.finish(id)
            run.expectEqual(completion.count, 7, "the first count")
            run.expectEqual(end.count, 1, "calls of the waiter")
            run.expectPackets(1)
        },
        ContractCase("C1", "a remote completion that is dropped ends its operation as aborted") { run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            let end = Found<WaitEnd>()
            let id = try run.must("perform") { () throws(OperationError) in
                try run.ops.perform(on: handle) { op in
                    op.remote { (_: RemoteCompletion) in }
                } completed: { _, ended in
                    end.set(ended)
                }
            }
            try run.turn(until: "the dropped completion") { end.value != nil }
            run.expect(try run.finish(id).completion.severity == .aborted, "the severity")
        },
        ContractCase("C3", "a cancel frees nothing: the operation stays submitted until its packet") { run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            let id = try run.read(handle)
            let asked = try run.must("cancel") { () throws(OperationError) in try run.ops.cancel(id) }
            run.expect(asked, "a waiting read can be asked to end")
            run.expect(run.phase(id) == .submitted, "the packet has not been dequeued")
            let (completion, bytes) = try run.finish(id)
            run.expect(completion.severity == .aborted, "nothing came, so the packet says aborted")
            run.expect(completion.error != .none, "aborted is an error value")
            run.expect(bytes.isEmpty, "no bytes came")
            run.expectPackets(1)
        },
        ContractCase("C3", "work that finished before the cancel is returned as finished") { run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            let id = try run.read(handle)
            run.fixture.feed(ends.far, [4, 2])
            try run.turn(until: "the packet") { run.phase(id) == .completed }
            let asked = try run.must("cancel") { () throws(OperationError) in try run.ops.cancel(id) }
            run.expect(!asked, "there is nothing left to cancel")
            run.expectEqual(try run.finish(id).bytes, [4, 2], "the bytes")
        },
        ContractCase("C3", "a second cancel is harmless") { run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            let id = try run.read(handle)
            _ = try run.must("cancel") { () throws(OperationError) in try run.ops.cancel(id) }
            _ = try run.must("cancel") { () throws(OperationError) in try run.ops.cancel(id) }
            run.expect(try run.finish(id).completion.severity == .aborted, "the severity")
            run.expectPackets(1)
        },
        ContractCase("C14", "the control block that the kernel is given has no event and no leftovers") { run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            for _ in 0..<3 {
                let id = try run.must("prepare") { () throws(OperationError) in
                    // SAFETY: the block is the operation's while it is prepared.
                    let memory = unsafe try run.ops.prepare(handle, capacity: 8)
                    let words = unsafe memory.controlBlock.assumingMemoryBound(to: UInt64.self)
                    for word in 0..<5 { run.expect(unsafe words[word] == 0, "word \(word) of the control block is zero") }
                    return unsafe memory.id
                }
                try run.must("read") { () throws(OperationError) in try run.ops.read(id) }
                _ = try run.must("cancel") { () throws(OperationError) in try run.ops.cancel(id) }
                _ = try run.finish(id)
            }
        },
    ]
}

extension ContractRun {
    /// The packets dequeued so far, once nothing more can come.
    func expectPackets(_ expected: Int) {
        loop.turn(.poll)
        loop.turn(.poll)
        expectEqual(Int(ops.metrics.operations.packets), expected, "packets dequeued")
        expectEqual(Int(ops.metrics.operations.stalePackets), 0, "packets nobody owed")
    }
}
