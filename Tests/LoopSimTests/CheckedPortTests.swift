import LoopCore
import LoopSim
import Testing

/// Each clause that can be checked from outside is broken once, and found; the sentence names the clause.
@Suite("The checked port") struct CheckedPortTests {
    private let rig = CheckedRig()

    @Test("Says nothing about a port that keeps its contract") func clean() {
        rig.read(Completion(count: 64))
        rig.read(SimulatedStatus.cancelled.completion())
        #expect(rig.breaches == [])
    }

    @Test("Finds a second packet for one operation") func twice() {
        rig.read(Completion(count: 64))
        rig.liar.packets = [rig.packet(Completion(count: 64))]
        _ = rig.wait()
        #expect(rig.breaches == [.packetNotOwed])
        #expect(rig.breaches.first?.clause == .c1)
    }

    @Test("Finds a packet for a call that was refused, and for one that was completed") func notOwed() {
        for answer in [Submission.refused(SystemCode(rawValue: 6)), .completed(Completion(count: 64))] {
            rig.liar.submission = answer
            _ = rig.port.read(rig.request(inline: .allowed), at: nil)
            rig.liar.packets = [rig.packet(Completion(count: 0))]
            _ = rig.wait()
        }
        #expect(rig.breaches == [.packetNotOwed, .packetNotOwed])
    }

    @Test("Lets as many unknown packets pass as native calls owe, and no more") func native() {
        _ = rig.port.classify(997)
        rig.liar.packets = [rig.packet(Completion(count: 0)), rig.packet(Completion(count: 0), 1)]
        _ = rig.wait()
        #expect(rig.breaches == [.packetNotOwed])
    }

    @Test("Knows the control block of a native call that is classified with its request: one packet, and no second call meanwhile")
    func nativeWithRequest() {
        rig.liar.submission = .owesPacket
        #expect(rig.port.classify(997, of: rig.request()) == .owesPacket)
        _ = rig.port.classify(0, of: rig.request())
        #expect(rig.breaches == [.startedWhileOwed])
        rig.liar.packets = [rig.packet(Completion(count: 0)), rig.packet(Completion(count: 0), 1)]
        _ = rig.wait()
        #expect(rig.breaches == [.startedWhileOwed, .packetNotOwed])
    }

    @Test("Finds a result where only a packet was allowed, and a refusal without a reason") func answers() {
        rig.liar.submission = .completed(Completion(count: 64))
        _ = rig.port.read(rig.request(), at: nil)
        rig.liar.submission = .refused(.none)
        _ = rig.port.read(rig.request(), at: nil)
        #expect(rig.breaches == [.completedWithoutLeave, .refusedWithoutReason])
    }

    @Test("Finds a verb on memory that is still the kernel's") func resubmitted() {
        _ = rig.port.read(rig.request(), at: nil)
        _ = rig.port.read(rig.request(), at: nil)
        #expect(rig.breaches == [.startedWhileOwed])
        #expect(rig.breaches.first?.clause == .c2)
    }

    @Test("Finds a buffer that is written to after its packet") func writtenAfter() {
        rig.read(Completion(count: 64))
        rig.liar.duringWait = { [rig] in rig.scribble(0) }
        _ = rig.wait()
        #expect(rig.breaches == [.writtenAfterPacket(capacity: 64)])
    }

    @Test("Finds no fault with an owner who writes to a buffer that is his again") func ownerWrites() {
        rig.read(Completion(count: 64))
        rig.scribble(0)
        _ = rig.wait()
        #expect(rig.breaches == [])
    }

    @Test("Finds an accepted cancel of nothing") func cancelled() {
        _ = rig.port.cancel(rig.request())
        rig.liar.cancelAnswer = .notFound
        _ = rig.port.cancel(rig.request())
        #expect(rig.breaches == [.cancelOfNothing])
        #expect(rig.breaches.first?.clause == .c3)
    }

    @Test("Finds counts that cannot be, and bytes that are not counted") func counts() {
        rig.read(Completion(count: 65))
        rig.read(Completion(count: -1))
        _ = rig.port.read(rig.request(), at: nil)
        rig.scribble(10)
        rig.liar.packets = [rig.packet(Completion(count: 10))]
        _ = rig.wait()
        #expect(
            rig.breaches == [
                .countOutOfRange(count: 65, limit: 64), .countOutOfRange(count: -1, limit: 64), .writtenBeyondCount(count: 10, byte: 10),
            ])
        #expect(rig.breaches.allSatisfy { $0.clause == .c4 })
    }

    @Test("Finds a write that succeeds in part") func cutShort() {
        _ = rig.port.write(rig.request(), count: 20, at: nil)
        rig.liar.packets = [rig.packet(Completion(count: 19))]
        _ = rig.wait()
        #expect(rig.breaches == [.cutShort(count: 19, wanted: 20)])
    }

    @Test("Finds a poll that reports what nobody asked for") func readiness() {
        _ = rig.port.poll(rig.request(), .readable)
        rig.liar.packets = [rig.packet(Completion(count: Int(Readiness.writable.rawValue)))]
        _ = rig.wait()
        #expect(rig.breaches == [.readinessNotAskedFor(found: .writable, asked: .readable)])
    }

    @Test("Finds a success with an error, and a failure without one") func errors() {
        rig.read(Completion(count: 64, error: SystemCode(rawValue: 5)))
        rig.read(Completion(count: 0, severity: .error))
        #expect(rig.breaches == [.errorOnSuccess(SystemCode(rawValue: 5)), .failureWithoutError])
        #expect(rig.breaches.allSatisfy { $0.clause == .c5 })
    }

    @Test("Finds a completion from elsewhere that says it was ended early and not with which code") func posted() {
        for completion in [Completion(count: 0, severity: .aborted), rig.port.abortedCompletion] {
            unsafe rig.port.post(rig.request().block, completion)
            rig.liar.packets = [rig.packet(completion)]
            _ = rig.wait()
        }
        #expect(rig.breaches == [.failureWithoutError])
    }

    @Test("Finds a pending packet and one without a block, and leaves a stranger's alone") func forged() {
        rig.read(Completion(count: 64, status: .pending))
        rig.liar.packets = [
            unsafe Packet(key: .operation, block: nil, completion: Completion(count: 0)),
            unsafe Packet(key: PacketKey(rawValue: 1), block: nil, completion: Completion(count: 0)),
        ]
        _ = rig.wait()
        #expect(rig.breaches == [.pendingStatus, .packetWithoutBlock])
        #expect(rig.breaches.allSatisfy { $0.clause == .c6 })
    }

    @Test("Finds calls after the close, and calls from another thread") func misplaced() {
        rig.liar.simulatedWaker.asThread(2) { rig.port.dissociate(CheckedRig.handle, as: CheckedRig.key) }
        rig.port.close()
        _ = rig.port.cancel(rig.request(1))
        #expect(rig.breaches == [.offThread, .usedAfterClose, .cancelOfNothing])
    }

    @Test("Finds keys that are not associated, and keys that are already") func associations() throws {
        let other = HandleKey(slot: 0, generation: 2)
        _ = rig.port.read(rig.request(key: other), at: nil)
        try rig.port.associate(CheckedRig.handle, as: CheckedRig.key, options: [])
        rig.port.dissociate(CheckedRig.handle, as: other)
        #expect(
            rig.breaches == [
                .notAssociated(CheckedRig.handle), .associatedTwice(CheckedRig.handle), .dissociatedUnknown(CheckedRig.handle),
            ])
        #expect(rig.breaches.allSatisfy { $0.clause == .c13 })
    }

    @Test("Finds a handle that nobody accepted") func acquired() {
        rig.read(Completion(count: 64, acquired: NativeHandle(rawValue: 9)))
        #expect(rig.breaches == [.acquiredWithoutAccept(NativeHandle(rawValue: 9))])
    }

    @Test("Finds more packets than places") func overrun() {
        rig.liar.claimedCount = 5
        #expect(rig.wait() == 0)
        #expect(rig.breaches == [.batchOverrun(count: 5, capacity: 4)])
    }

    @Test("Finds a wait that is over too late, and a poll that takes time") func late() {
        rig.liar.duringWait = { [rig] in rig.liar.clock.advance(by: 1500) }
        _ = rig.wait(.until(rig.liar.clock.now.advanced(by: 1000)))
        rig.liar.duringWait = { [rig] in rig.liar.clock.advance(by: 1) }
        _ = rig.wait()
        #expect(rig.breaches == [.late(nanoseconds: 500), .late(nanoseconds: 1)])
        #expect(rig.breaches.allSatisfy { $0.clause == .waits })
    }

    @Test("Finds a deadline that is rounded down, and allows for wakes") func spinning() {
        for _ in 0..<300 {
            _ = rig.port.waker.wake()
            _ = rig.wait(.until(rig.liar.clock.now.advanced(by: 400_000)))
        }
        #expect(rig.breaches == [])
        for _ in 0..<300 { _ = rig.wait(.until(rig.liar.clock.now.advanced(by: 400_000))) }
        #expect(rig.breaches.count == 1)
        guard case .spinning = rig.breaches.first else {
            Issue.record("found \(rig.breaches)")
            return
        }
    }

    @Test("Ends the process with the clause unless it is told otherwise") func traps() async {
        await #expect(processExitsWith: .failure) {
            let port = CheckedPort(LyingPort())
            port.dissociate(NativeHandle(rawValue: 1), as: HandleKey(slot: 0, generation: 1))
        }
    }

    @Test("Every breach has a sentence that begins with its clause") func sentences() {
        let breach = ContractBreach.cutShort(count: 1, wanted: 2)
        #expect(breach.description == "C4: a write succeeded with 1 of 2 bytes")
        #expect(ContractBreach.late(nanoseconds: 1).description.hasPrefix("Waits: "))
    }
}
