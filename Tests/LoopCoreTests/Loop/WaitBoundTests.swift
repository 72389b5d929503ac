import Testing

@testable import LoopCore

@Suite("How long the loop sleeps") struct WaitBoundTests {
    @Test("As long as it is allowed to, while nothing waits") func idle() throws {
        try Bench.run { bench in
            let later = bench.loop.now.advanced(by: 1_000)
            bench.loop.turn(.poll)
            bench.loop.turn(.until(later))
            bench.loop.turn(until: later.advanced(by: 1))
            bench.port.asleep = { bench.loop.post(fromElsewhere: {}) }
            bench.loop.turn(.forever)
            bench.port.asleep = {}
            #expect(bench.port.bounds == [.poll, .until(later), .until(later.advanced(by: 1)), .forever])
        }
    }

    @Test("Until the next timer, if that comes first") func timer() throws {
        try Bench.run { bench in
            let soon = bench.loop.now.advanced(by: 1_000)
            let timer = bench.ops.call(at: soon) {}
            bench.loop.turn(.until(soon.advanced(by: 5)))
            #expect(bench.port.bounds == [.until(soon)])
            bench.settle()
            let later = bench.ops.call(at: soon.advanced(by: 100)) {}
            bench.port.bounds = []
            bench.loop.turn(.until(soon.advanced(by: 50)))
            #expect(bench.port.bounds == [.until(soon.advanced(by: 50))])
            bench.loop.turn(.poll)
            #expect(bench.port.bounds.last == .poll)
            #expect(bench.ops.cancel(later))
            #expect(!bench.ops.cancel(timer))
        }
    }

    @Test("Not at all while a job, a cancel or a waiter waits for its turn") func polls() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let id = try bench.read(handle)
            bench.port.finish(try bench.request, bytes: [1])
            bench.settle()
            let later = bench.loop.now.advanced(by: 1_000)
            let causes: [() throws -> Void] = [
                { try bench.ops.retire(bench.associate(8)) },
                {
                    let read = try bench.read(handle)
                    try bench.ops.onCompletion(read) { id, _ in try? bench.ops.free(id) }
                    bench.ops.cancelWait(read)
                },
                { bench.loop.post { loop in loop.post { _ in } } },
                { try bench.ops.onCompletion(id) { _, _ in } },
            ]
            for cause in causes {
                try cause()
                #expect(bench.loop.nextDeadline == MonotonicInstant(nanoseconds: 0))
                bench.loop.turn(.poll)
            }
            #expect(bench.loop.nextDeadline == .distantFuture)
            // Mail that comes while the loop gets ready to sleep.
            bench.loop.post { loop in loop.post(fromElsewhere: {}) }
            bench.port.bounds = []
            bench.loop.turn(.until(later))
            #expect(bench.port.bounds == [.poll])
            try bench.ops.free(id)
            bench.settle()
        }
    }

    @Test("The next deadline is now while something waits, the next timer's, or never") func nextDeadline() throws {
        try Bench.run { bench in
            #expect(bench.loop.nextDeadline == .distantFuture)
            let soon = bench.loop.now.advanced(by: 7)
            let timer = bench.ops.call(at: soon) {}
            #expect(bench.loop.nextDeadline == soon)
            bench.loop.post(fromElsewhere: {})
            #expect(bench.loop.nextDeadline == MonotonicInstant(nanoseconds: 0))
            bench.settle()
            #expect(bench.loop.nextDeadline == soon)
            bench.ops.cancel(timer)
            #expect(bench.loop.nextDeadline == .distantFuture)
        }
    }

    @Test("One turn fires what fell due while the loop was not turned") func dueBeforeTheTurn() throws {
        try Bench.run { bench in
            var fired = 0
            bench.loop.turn(.poll)
            bench.ops.call(at: bench.loop.now.advanced(by: 1_000)) { fired += 1 }
            bench.advance(nanoseconds: 1_000)
            bench.loop.turn(.poll)
            #expect(fired == 1)
            bench.settle()
        }
    }

    @Test("A turn ends with the wake armed: the next sender rings, and only the next") func armed() throws {
        try Bench.run { bench in
            bench.loop.turn(.poll)
            let before = bench.port.mockWaker.wakes
            for _ in 0..<5 { bench.loop.post(fromElsewhere: {}) }
            #expect(bench.port.mockWaker.wakes == before + 1)
            bench.settle()
            bench.loop.post(fromElsewhere: {})
            #expect(bench.port.mockWaker.wakes == before + 2)
            bench.settle()
            #expect(bench.ops.metrics.wakeUps == 2)
        }
    }

    @Test("A port that says it filled more than the batch holds ends the process") func overfull() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let batch = PacketBatch(capacity: 4)
            batch.forEach(5) { _ in }
        }
        expectSentence("The port says it filled 5 places of a batch of 4.", in: result)
    }
}

extension EventLoop {
    /// Posts from another thread, and waits until it has been sent.
    nonisolated func post(fromElsewhere call: @escaping @Sendable () -> Void) {
        RealThread.elsewhere { self.post { _ in call() } }
    }
}
