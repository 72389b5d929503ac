import LoopCore

// C6: ids carry a generation, packets only a pointer. C13: a recycled handle number is a new handle.
extension ContractSuite {
    static let identity: [ContractCase] = [
        ContractCase("C6", "an id is dead once its result was taken, and stays dead when its record is used again") {
            run throws(CaseFailure) in
            let (handle, ends) = try run.stream()
            let old = try run.read(handle)
            run.fixture.feed(ends.far, [1])
            _ = try run.finish(old)
            let new = try run.read(handle)
            run.expectEveryCallRefuses(old, with: .staleID)
            run.expect(run.phase(new) == .submitted, "the new operation is not concerned")
            run.expect(run.ops.metrics.operations.staleIDs > 0, "stale ids are counted")
            run.fixture.feed(ends.far, [2])
            run.expectEqual(try run.finish(new).bytes, [2], "the new operation's byte")
        },
        ContractCase("C6", "a renewed operation is another one in the same memory: its old id is dead, and its bytes are written again") {
            run throws(CaseFailure) in
            let (handle, ends) = try run.stream(for: .write)
            let old = try run.write(handle, [5, 6, 7])
            try run.turn(until: "the first packet") { run.phase(old) == .completed }
            run.expectEqual(run.fixture.drain(ends.far, max: 16), [5, 6, 7], "what arrived of the first")
            let renewed = try run.must("renew") { () throws(OperationError) in try run.ops.renew(old) }
            run.expectEqual(renewed.facts.count, 3, "bytes of the first")
            run.expectEveryCallRefuses(old, with: .staleID)
            run.expect(run.phase(renewed.id) == .prepared, "the new operation is prepared")
            try run.must("write") { () throws(OperationError) in try run.ops.write(renewed.id, count: 3) }
            run.expectEqual(try run.finish(renewed.id).completion.count, 3, "bytes of the second")
            run.expectEqual(run.fixture.drain(ends.far, max: 16), [5, 6, 7], "what arrived of the second")
        },
        ContractCase("C6", "an id of another loop is refused") { run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            let other = run.fixture.makeLoop(Limits())
            defer { other.shutdown() }
            let id = try run.must("prepare") { () throws(OperationError) in try run.prepare(handle) }
            let foreign = other.operationsOnThisThread()
            run.expectRefusal(.foreignID, "state") { () throws(OperationError) in try foreign.state(id) }
            run.expectRefusal(.foreignID, "cancel") { () throws(OperationError) in try foreign.cancel(id) }
            run.expectRefusal(.foreignID, "result") { () throws(OperationError) in try foreign.result(id) }
            run.expectRefusal(.notAssociated, "prepare") { () throws(OperationError) in
                // SAFETY: nothing is prepared.
                unsafe try foreign.prepare(handle).id
            }
            run.expect(foreign.metrics.operations.foreignIDs == 3, "foreign ids are counted")
            // SAFETY: no native call was made.
            try run.must("abandon") { () throws(OperationError) in unsafe try run.ops.abandon(id) }
        },
        ContractCase("C6", "a packet for an address that is no operation's is counted and not followed") { run throws(CaseFailure) in
            let memory = ForgedBlock()
            // SAFETY: a block of its own, which the port may write its links to.
            unsafe run.ops.forgePacket(memory.address, Completion(count: 1))
            run.loop.turn(.poll)
            run.expectEqual(Int(run.ops.metrics.operations.stalePackets), 1, "stale packets")
            run.expectEqual(Int(run.ops.metrics.operations.packets), 0, "packets")
        },
        ContractCase("C6", "a packet for a record that is not submitted is counted and changes nothing") { run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            let id = try run.must("prepare") { () throws(OperationError) in
                // SAFETY: the block is the operation's; the packet is forged on purpose.
                let memory = unsafe try run.ops.prepare(handle, capacity: 8)
                unsafe run.ops.forgePacket(memory.controlBlock, Completion(count: 8))
                return unsafe memory.id
            }
            run.loop.turn(.poll)
            run.expect(run.phase(id) == .prepared, "it is still prepared")
            run.expectEqual(Int(run.ops.metrics.operations.stalePackets), 1, "stale packets")
            // SAFETY: no native call was made.
            try run.must("abandon") { () throws(OperationError) in unsafe try run.ops.abandon(id) }
        },
        ContractCase("C13", "a retired handle's number can be associated anew, and the old association stays dead") {
            run throws(CaseFailure) in
            let (old, _) = try run.stream()
            try run.retire(old)
            run.expectRefusal(.notAssociated, "prepare on the retired") { () throws(OperationError) in try run.prepare(old) }
            run.expectRefusal(.notAssociated, "retire again") { () throws(OperationError) in try run.ops.retire(old) }
            let new = try run.associate(old.native)
            run.expect(new != old, "the same number, another generation")
            run.expectRefusal(.notAssociated, "prepare on the retired") { () throws(OperationError) in try run.prepare(old) }
            let id = try run.read(new)
            _ = try run.must("cancel") { () throws(OperationError) in try run.ops.cancel(id) }
            _ = try run.finish(id)
        },
        ContractCase("C13", "an operation left on a closed handle never gets the bytes of the handle that took its number") {
            run throws(CaseFailure) in
            let (old, ends) = try run.stream()
            let lost = try run.read(old, tag: 1)
            run.loop.turn(.poll)
            run.close(ends.near)
            let (new, newEnds) = try run.stream()
            guard new.native == old.native else { throw .notApplicable("a kernel that recycles handle numbers at once") }
            run.fixture.feed(newEnds.far, [1, 2, 3])
            let id = try run.read(new, tag: 2)
            run.expectEqual(try run.finish(id).bytes, [1, 2, 3], "the new handle's bytes go to the new handle")
            if run.phase(lost) == .submitted { _ = try run.must("cancel") { () throws(OperationError) in try run.ops.cancel(lost) } }
            run.expect(try run.finish(lost).bytes.isEmpty, "the lost operation got nothing")
            try run.retire(old)
        },
        ContractCase("C13", "retiring waits for the packets of what is in flight") { run throws(CaseFailure) in
            let (handle, _) = try run.stream()
            let ids = [try run.read(handle), try run.read(handle)]
            let report = Found<RetireReport>()
            try run.must("retire") { () throws(OperationError) in try run.ops.retire(handle) { report.set($0) } }
            run.expect(report.value == nil, "not told from within the call")
            run.expectRefusal(.notAssociated, "prepare while retiring") { () throws(OperationError) in try run.prepare(handle) }
            try run.turn(until: "the handle to be retired") { report.value != nil }
            run.expectEqual(report.value?.stuck ?? -1, 0, "stuck operations")
            run.expectEqual(report.count, 1, "calls")
            for id in ids { run.expect(try run.finish(id).completion.severity == .aborted, "cancelled by the retire") }
        },
    ]
}

extension ContractRun {
    /// Each call that takes an id refuses this one.
    // SAFETY: the calls are expected to be refused.
    func expectEveryCallRefuses(_ id: OperationID, with error: OperationError) {
        expectRefusal(error, "state") { () throws(OperationError) in try ops.state(id) }
        expectRefusal(error, "cancel") { () throws(OperationError) in try ops.cancel(id) }
        expectRefusal(error, "result") { () throws(OperationError) in try ops.result(id) }
        expectRefusal(error, "free") { () throws(OperationError) in try ops.free(id) }
        expectRefusal(error, "submitted") { () throws(OperationError) in unsafe try ops.submitted(id) }
        expectRefusal(error, "abandon") { () throws(OperationError) in unsafe try ops.abandon(id) }
        expectRefusal(error, "onCompletion") { () throws(OperationError) in try ops.onCompletion(id) { _, _ in } }
        expectRefusal(error, "read") { () throws(OperationError) in try ops.read(id) }
    }
}

/// Memory that looks like a control block to a port and belongs to no ledger. Kept for the life of the process: the port may still have
/// its address.
@safe struct ForgedBlock {
    let address: UnsafeMutableRawPointer

    // SAFETY: as large as a control block, zeroed, never freed.
    init() {
        unsafe address = .allocate(byteCount: ControlBlock.bytes, alignment: 64)
        unsafe address.initializeMemory(as: UInt8.self, repeating: 0, count: ControlBlock.bytes)
    }
}
