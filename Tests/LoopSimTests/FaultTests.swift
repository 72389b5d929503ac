import LoopCore
import LoopSim
import Testing

/// Each fault does what its name says, and nothing the contract forbids: the port is checked while they try.
@Suite("Faults of the simulated kernel") struct FaultTests {
    private func faults(_ change: (inout SimulatedFaults) -> Void) -> SimulatedFaults {
        var faults = SimulatedFaults.none
        change(&faults)
        return faults
    }

    @Test("A refused operation is gone at once") func refusesOperations() throws {
        let rig = Rig(faults: faults { $0.refusesOperations = .always })
        let (handle, near, far) = try rig.stream()
        #expect(throws: OperationError.refused(SimulatedStatus.noResources.error)) { _ = try rig.read(handle) }
        #expect(rig.ops.metrics.operations.inFlight == 0)
        rig.end(near, far)
    }

    @Test("A refused association says why") func refusesAssociations() throws {
        let rig = Rig(faults: faults { $0.refusesAssociations = .always })
        let (near, far) = rig.port.makeStreamPair()
        #expect(throws: AssociationError.system(SimulatedStatus.noResources.error)) { _ = try rig.ops.associate(near) }
        rig.end(near, far)
    }

    @Test("Work that is done at once is the answer where that is allowed, and a packet where it is not") func answersInline() throws {
        let rig = Rig()
        let (handle, near, far) = try rig.stream()
        #expect(rig.port.feed(far, bytes("abcdef")) == 6)
        let first = unsafe try rig.ops.prepare(handle, capacity: 3).id
        #expect(try rig.ops.read(first, inline: .allowed) == .done)
        #expect(try rig.finish(first).bytes == bytes("abc"))
        let second = try rig.read(handle, 3)
        #expect(try rig.ops.state(second) == .submitted)
        rig.port.faults.answersInline = .never
        let third = unsafe try rig.ops.prepare(handle, capacity: 3).id
        #expect(try rig.ops.read(third, inline: .allowed) == .waiting)
        #expect(try rig.finish(second).bytes == bytes("def"))
        #expect(rig.port.feed(far, bytes("g")) == 1)
        #expect(try rig.finish(third).bytes == bytes("g"))
        rig.end(near, far)
    }

    @Test("Late work takes time, and stays in order") func startsLate() throws {
        let rig = Rig(faults: faults { $0.startsLate = .always })
        let (handle, near, far) = try rig.stream()
        #expect(rig.port.feed(far, bytes("abcdef")) == 6)
        let before = rig.port.clock.now
        let (first, second) = (try rig.read(handle, 3), try rig.read(handle, 3))
        #expect(try rig.finish(second).bytes == bytes("def"))
        #expect(try rig.finish(first).bytes == bytes("abc"))
        #expect(rig.port.clock.now > before)
        rig.end(near, far)
    }

    @Test("A stuck operation outlives its cancel, and comes home when it is released") func getsStuck() throws {
        let rig = Rig(faults: faults { $0.getsStuck = .always })
        let (handle, near, far) = try rig.stream()
        let id = try rig.read(handle)
        var found: WaitEnd?
        try rig.ops.onCompletion(id, timeout: .milliseconds(1)) { found = $1 }
        rig.turn { found != nil }
        guard case .stuck(let operation) = found else {
            Issue.record("the end was \(String(describing: found))")
            return
        }
        #expect(operation.handle == near)
        #expect(rig.ops.metrics.operations.orphaned == 1)
        rig.port.releaseStuck()
        rig.turn { rig.ops.metrics.operations.orphaned == 0 }
        #expect(rig.ops.metrics.operations.orphansReturned == 1)
        rig.end(near, far)
    }

    @Test("A stuck operation that is cancelled keeps its waiter for the grace and no longer") func cancelled() throws {
        let rig = Rig(faults: faults { $0.getsStuck = .always })
        let (handle, near, far) = try rig.stream()
        let id = try rig.read(handle)
        var found: WaitEnd?
        try rig.ops.onCompletion(id) { found = $1 }
        let begin = rig.port.clock.now
        #expect(try rig.ops.cancel(id))
        rig.turn { found != nil }
        guard case .stuck = found else {
            Issue.record("the end was \(String(describing: found))")
            return
        }
        #expect(rig.port.clock.now == begin.advanced(by: Limits().cancelGraceNanoseconds))
        rig.port.releaseStuck()
        rig.turn { rig.ops.metrics.operations.orphaned == 0 }
        rig.end(near, far)
    }

    @Test("A read may bring less than there is, nothing, a timeout or a warning, and loses no byte") func reads() throws {
        let cases: [(faults: SimulatedFaults, status: SimulatedStatus, count: Int)] = [
            (faults { $0.shortReads = .always }, .success, 3), (faults { $0.emptyReads = .always }, .success, 0),
            (faults { $0.timeoutStatuses = .always }, .timeout, 6), (faults { $0.warningStatuses = .always }, .moreData, 6),
        ]
        for (faults, status, count) in cases {
            let rig = Rig(faults: faults)
            let (handle, near, far) = try rig.stream()
            #expect(rig.port.feed(far, bytes("abcdef")) == 6)
            let (completion, read) = try rig.finish(try rig.read(handle))
            #expect(completion == status.completion(count: count))
            rig.port.faults = .none
            let rest = count < 6 ? try rig.finish(try rig.read(handle)).bytes : []
            #expect(read + rest == bytes("abcdef"))
            rig.end(near, far)
        }
    }

    @Test("A failing write counts what it moved") func failsLate() throws {
        let rig = Rig(faults: faults { $0.failsLate = .always })
        let (handle, near, far) = try rig.stream()
        let (completion, _) = try rig.finish(try rig.write(handle, bytes("abcdef")))
        #expect(completion == SimulatedStatus.deviceError.completion(count: 3))
        #expect(rig.port.drain(far, max: 100) == bytes("abc"))
        rig.end(near, far)
    }

    @Test("A refused cancel is counted, and the operation goes on") func refusesCancels() throws {
        let rig = Rig(faults: faults { $0.refusesCancels = .always })
        let (handle, near, far) = try rig.stream()
        let id = try rig.read(handle)
        #expect(try rig.ops.cancel(id) == false)
        #expect(rig.ops.metrics.operations.refusedCancels == 1)
        #expect(rig.port.feed(far, bytes("a")) == 1)
        #expect(try rig.finish(id).bytes == bytes("a"))
        rig.end(near, far)
    }

    @Test("A slow cancel loses against work that is done first, and wins against none") func slowCancels() throws {
        let rig = Rig(faults: faults { $0.slowCancels = .always })
        let (handle, near, far) = try rig.stream()
        let (won, lost) = (try rig.read(handle), try rig.read(handle))
        #expect(try rig.ops.cancel(won))
        #expect(try rig.ops.cancel(lost))
        #expect(rig.port.feed(far, bytes("a")) == 1)
        #expect(try rig.finish(won).bytes == bytes("a"))
        #expect(try rig.finish(lost).completion == SimulatedStatus.cancelled.completion())
        rig.end(near, far)
    }

    @Test("An aborted read may count bytes, and shows none of them") func abortsWithBytes() throws {
        let rig = Rig(
            faults: faults {
                $0.abortsWithBytes = .always
                $0.startsLate = .always
            })
        let (handle, near, far) = try rig.stream()
        #expect(rig.port.feed(far, bytes("abc")) == 3)
        let id = try rig.read(handle)
        #expect(try rig.ops.cancel(id))
        rig.loop.turn(.poll)
        let outcome = try rig.ops.result(id)
        let (completion, shown, lost) = (outcome.completion, outcome.copyBytes(), outcome.possiblyLost)
        #expect(completion == SimulatedStatus.cancelled.completion(count: 3))
        #expect(shown == [])
        #expect(lost == 3)
        rig.end(near, far)
    }

    @Test("A cancel that comes after the work is answered either way, and changes nothing") func lateCancels() throws {
        for accepts in [Chance.never, .always] {
            let rig = Rig(faults: faults { $0.acceptsLateCancels = accepts })
            let (handle, near, far) = try rig.stream()
            #expect(rig.port.feed(far, bytes("abc")) == 3)
            let id = try rig.read(handle)
            #expect(try rig.ops.cancel(id) == (accepts == .always))
            #expect(try rig.finish(id).bytes == bytes("abc"))
            rig.end(near, far)
        }
    }

    @Test("Packets that are held back overtake each other, and every one arrives") func reordersPackets() throws {
        let rig = Rig(faults: faults { $0.reordersPackets = Chance(perThousand: 500) })
        let (handle, near, far) = try rig.stream()
        var order: [Int] = []
        for number in 0..<20 {
            #expect(rig.port.feed(far, [UInt8(number)]) == 1)
            try rig.ops.perform(on: handle, capacity: 1) {
                $0.read()
            } completed: { id, _ in
                order.append(number)
                #expect((try? rig.ops.result(id).copyBytes()) == [UInt8(number)])
            }
        }
        rig.turn { order.count == 20 }
        #expect(order != order.sorted())
        #expect(order.sorted() == Array(0..<20))
        rig.end(near, far)
    }

    @Test("A stranger's packet is counted and followed nowhere") func foreignPackets() throws {
        let rig = Rig(faults: faults { $0.foreignPackets = .always })
        let (handle, near, far) = try rig.stream()
        let id = try rig.read(handle)
        rig.loop.turn(.poll)
        #expect(rig.ops.metrics.operations.foreignPackets == 1)
        #expect(try rig.ops.state(id) == .submitted)
        rig.port.faults = .none
        #expect(try rig.ops.cancel(id))
        _ = try rig.finish(id)
        rig.end(near, far)
    }

    @Test("A wait may end at once, or half-way, with nothing") func earlyReturns() throws {
        let rig = Rig(faults: faults { $0.returnsEarly = .always })
        let begin = rig.port.clock.now
        rig.loop.turn(.until(begin.advanced(by: 1000)))
        #expect(rig.port.clock.now == begin)
        rig.port.faults = faults { $0.spuriousWakes = .always }
        rig.loop.turn(.until(begin.advanced(by: 1000)))
        #expect(rig.port.clock.now == begin.advanced(by: 500))
        rig.end()
    }

    @Test("A wake takes its time, and one that fails is tried again") func wakes() throws {
        let rig = Rig(faults: faults { $0.wakeDelayNanoseconds = 300 })
        rig.port.simulatedWaker.failNext(3)
        rig.port.after(1000) { [port = rig.port, loop = rig.loop] in port.simulatedWaker.asThread(2) { loop.post { _ in } } }
        let begin = rig.port.clock.now
        rig.loop.turn(.until(begin.advanced(by: 5000)))
        #expect(rig.port.clock.now == begin.advanced(by: 1300))
        rig.loop.turn(.poll)
        #expect(rig.ops.metrics.jobs == 1)
        rig.end()
    }

    @Test("A handle closed behind the loop's back ends its operations, or leaves them to their cancel") func closes() throws {
        for behaviour in [CloseBehaviour.endsOperations, .forgetsOperations] {
            let rig = Rig(faults: faults { $0.close = behaviour })
            let (handle, near, far) = try rig.stream()
            let id = try rig.read(handle)
            rig.port.close(near)
            rig.loop.turn(.poll)
            #expect(try rig.ops.state(id) == (behaviour == .endsOperations ? .completed : .submitted))
            if behaviour == .forgetsOperations { #expect(try rig.ops.cancel(id)) }
            #expect(try rig.finish(id).completion.severity == .aborted)
            try rig.retire(handle)
            rig.end(far)
        }
    }

    @Test("A number that is closed goes to the next object, and the old one's operations do not go with it") func recycles() throws {
        let rig = Rig(faults: faults { $0.close = .forgetsOperations })
        let (handle, near, far) = try rig.stream()
        let id = try rig.read(handle)
        rig.port.close(near)
        let (again, second) = rig.port.makeStreamPair()
        #expect(again == near)
        let fresh = try rig.ops.associate(again)
        #expect(rig.port.feed(second, bytes("new")) == 3)
        #expect(try rig.finish(id).completion.severity == .aborted)
        #expect(try rig.finish(try rig.read(fresh)).bytes == bytes("new"))
        try rig.retire(handle)
        rig.end(again, second, far)
    }
}
