import Testing

@testable import LoopCore

@Suite("Misuse that ends the process with a sentence") struct TrapTests {
    @Test("A turn inside a callback") func nestedTurn() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let bench = try Bench(Limits())
            bench.ops.call(at: bench.loop.now) { bench.loop.turn(.poll) }
            bench.settle()
        }
        expectSentence("turn was called inside a callback of the same loop.", in: result)
    }

    @Test("A run inside a fiber") func nestedRun() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let bench = try Bench(Limits())
            bench.loop.run { loop async in loop.run { _ async in } }
        }
        expectSentence("inside a callback of the same loop.", in: result)
    }

    @Test("A shutdown inside a callback") func nestedShutdown() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let bench = try Bench(Limits())
            bench.loop.post { loop in loop.shutdown() }
            bench.settle()
        }
        expectSentence("inside a callback of the same loop.", in: result)
    }

    @Test("A turn on another thread") func turnElsewhere() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let loop = try Bench(Limits()).loop
            RealThread.elsewhere { loop.turn(.poll) }
        }
        expectSentence("An event loop was used off its thread.", in: result)
    }

    @Test("The seam asked for on another thread") func seamElsewhere() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let loop = try Bench(Limits()).loop
            RealThread.elsewhere { _ = loop.operationsOnThisThread() }
        }
        expectSentence("An event loop was used off its thread.", in: result)
    }

    @Test("A shutdown on another thread") func shutdownElsewhere() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let loop = try Bench(Limits()).loop
            RealThread.elsewhere { loop.shutdown() }
        }
        expectSentence("An event loop was used off its thread.", in: result)
    }

    @Test("A turn after the shutdown") func turnAfterShutdown() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let bench = try Bench(Limits())
            bench.loop.shutdown()
            bench.loop.turn(.poll)
        }
        expectSentence("after it was shut down. Make a new one.", in: result)
    }

    @Test("An actor that asks a loop it is not pinned to for operations") func wrongLoop() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let (own, other) = (try Bench(Limits()).loop, try Bench(Limits()).loop)
            let device = Device(own)
            own.run { _ in await device.use(other) }
        }
        expectSentence("An actor asked a loop it is not pinned to for operations. Ask owner.loop.", in: result)
    }

    @Test("A decision of another operation than the one that was lent") func wrongDecision() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let bench = try Bench(Limits())
            let handle = try bench.associate()
            try bench.ops.perform(on: handle) { op in
                _ = op.abandon(.none)
                return Decision(id: OperationID(generation: 0, index: .none, ledger: 0), outcome: .owesPacket)
            } completed: { _, _ in
            }
        }
        expectSentence("A function returned the decision of another operation than the one it was lent.", in: result)
    }

    @Test("An address for an operation without room for one") func noRoom() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let bench = try Bench(Limits())
            try bench.ops.connect(bench.prepare(bench.associate()), to: SocketAddress())
        }
        expectSentence("was prepared without room for one", in: result)
    }
}

/// An actor that is pinned to one loop and asks another.
private actor Device: OnLoop {
    nonisolated let loop: EventLoop

    init(_ loop: EventLoop) { self.loop = loop }

    func use(_ other: EventLoop) { _ = other.operations(for: self) }
}
