import Testing

@testable import LoopCore

@Suite("Performing an operation") struct PerformTests {
    @Test("The body runs at once, and the outcome comes with the packet") func finished() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let bytes = try bench.loop.run { loop in
                let port = try loop.mock
                port.asleep = { if let request = port.requests.last { port.finish(request, bytes: [5]) } }
                let outcome = try await loop.operations.perform(on: handle, capacity: 4) { op in op.read() }
                port.asleep = {}
                return outcome.copyBytes()
            }
            #expect(bytes == [5])
        }
    }

    @Test("What was filled in before a write is what the port is given") func filled() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let written = Journal()
            try bench.loop.run { loop in
                let port = try loop.mock
                // SAFETY: the buffer is the operation's, and the packet comes after it was read.
                port.answer = { request in
                    written.add("\(unsafe [UInt8](request.buffer))")
                    port.finish(request, Completion(count: 3))
                    return .owesPacket
                }
                let outcome = try await loop.operations.perform(on: handle, capacity: 3) { op in
                    op.withBuffer { bytes in
                        for place in 0..<3 { bytes.storeBytes(of: UInt8(place + 1), toByteOffset: place, as: UInt8.self) }
                    }
                    return op.write(count: 3)
                }
                #expect(outcome.count == 3)
                port.answer = { _ in .owesPacket }
            }
            #expect(written.lines == ["[1, 2, 3]"])
        }
    }

    @Test("A task that is cancelled on entry submits nothing") func cancelledOnEntry() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let refusal = bench.loop.run { loop in
                let fiber = Task(executorPreference: loop) { await loop.refusal(on: handle) { op in op.read() } }
                fiber.cancel()
                return await fiber.value
            }
            #expect(refusal == .cancelled)
            #expect(bench.port.requests.isEmpty)
            #expect(bench.ops.metrics.operations.preparedEver == 0)
        }
    }

    @Test("A native call is classified by the port: an error leaves nothing behind") func classified() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let refused = bench.loop.run { loop in await loop.refusal(on: handle) { op in op.call(87) } }
            #expect(refused == .refused(SystemCode(rawValue: 87)))
            let abandoned = bench.loop.run { loop in await loop.refusal(on: handle) { op in op.abandon(SystemCode(rawValue: 6)) } }
            #expect(abandoned == .refused(SystemCode(rawValue: 6)))
            #expect(bench.ops.metrics.operations.inFlight == 0)
        }
    }

    @Test("A call that is pending owes a packet", arguments: [0, 997] as [Int32])
    func pending(code: Int32) throws {
        try Bench.run { bench in
            let id = try bench.ops.perform(on: bench.associate(), capacity: 2) { op in
                op.call(code)
            } completed: { _, _ in
            }
            #expect(try bench.ops.state(id) == .submitted)
            #expect(try bench.ops.cancel(id))
            bench.settle()
            try bench.ops.free(id)
        }
    }

    @Test("A result that is there already comes without a packet and without a suspension") func inline() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let (count, turns) = try bench.loop.run { loop in
                let before = loop.metrics.turns
                let outcome = try await loop.operations.perform(on: handle, capacity: 8) { op in op.completedInline(count: 6) }
                return (outcome.count, loop.metrics.turns - before)
            }
            #expect(count == 6 && turns == 0)
            #expect(bench.ops.metrics.operations.inlineCompletions == 1 && bench.ops.metrics.operations.packets == 0)
        }
    }

    @Test("A body that retires its own handle first is refused, and leaves nothing behind") func retiredByBody() throws {
        try Bench.run { bench in
            let (handle, ops) = (try bench.associate(), bench.ops)
            #expect(throws: OperationError.notAssociated) {
                try ops.perform(on: handle) { op in
                    try? ops.retire(handle)
                    return op.read()
                } completed: { _, _ in
                }
            }
            #expect(bench.port.requests.isEmpty)
        }
    }

    @Test("A handle whose own native call retired it is given back only after that call's packet") func retiredByCall() throws {
        try Bench.run { bench in
            let (handle, ops, journal) = (try bench.associate(), bench.ops, bench.port.journal)
            let id = try ops.perform(on: handle) { op in
                op.call(0) { try? ops.retire(handle) { _ in journal.add("retired") } }
            } completed: { _, _ in
                journal.add("told")
            }
            bench.settle()
            if try ops.state(id) == .submitted {
                #expect(journal.count("retired") == 0, "the kernel still has the operation")
                // SAFETY: the test is the kernel.
                let cell = try ops.ledger.find(id)
                unsafe ops.forgePacket(cell.block, MockPort.aborted)
                bench.settle()
            }
            #expect(journal.lines.suffix(2) == ["told", "retired"])
            try ops.free(id)
        }
    }
}

extension EventLoop {
    /// Why performing was refused.
    fileprivate func refusal(on handle: AssociatedHandle, _ body: @Sendable (consuming PreparedOp) -> Decision) async -> OperationError? {
        do throws(OperationError) {
            _ = try await operations.perform(on: handle, body)
            return nil
        } catch { return error }
    }
}

extension PreparedOp {
    /// A native call that does what the test says and returns a code; it touches no memory.
    // SAFETY: the pointers are dropped.
    fileprivate consuming func call(_ code: Int32, _ effect: () -> Void = {}) -> Decision {
        unsafe submit { _, _ in
            effect()
            return code
        }
    }
}
