import Testing

@testable import LoopCore

@Suite("Cancelling an operation that somebody waits for") struct CancelTests {
    private let grace = Limits().cancelGraceNanoseconds

    @Test("The wait ends as cancelled when the packet says so, and is not told from within the call") func cancelled() throws {
        try Bench.run { bench in
            let id = try bench.read(bench.associate())
            var ends: [WaitEnd] = []
            try bench.ops.onCompletion(id, timeout: .seconds(3_600)) { ends.append($1) }
            #expect(try bench.ops.cancel(id))
            #expect(ends == [])
            #expect(bench.port.journal.count("cancel") == 1)
            #expect(bench.ops.metrics.timersWaiting == 1, "the grace has taken the place of the deadline")
            bench.settle()
            #expect(ends == [.cancelled])
            #expect(bench.ops.metrics.timersWaiting == 0)
            try bench.ops.free(id)
        }
    }

    @Test("A driver that does not answer has the grace and no longer, whether it took the cancel or refused it", arguments: [true, false])
    func stuck(refuses: Bool) throws {
        try Bench.run { bench in
            bench.port.driver = refuses ? .refusing : .stuck
            let id = try bench.read(bench.associate(6), tag: 77)
            var end: WaitEnd?
            try bench.ops.onCompletion(id) { end = $1 }
            #expect(try bench.ops.cancel(id) == !refuses)
            bench.turnPast(grace - 1)
            #expect(end == nil)
            bench.turnPast(1)
            guard case .stuck(let operation) = end else {
                Issue.record("not stuck")
                return
            }
            #expect(operation.handle == NativeHandle(rawValue: 6) && operation.tag == 77)
            bench.port.finish(try bench.request, MockPort.aborted)
            bench.settle()
        }
    }

    @Test(
        "Nobody is given up on whose packet lies ready when the loop comes late, however many batches or shares lie in front of it",
        arguments: [(4, .max), (64, .max), (64, 4)])
    func lateLoop(batch: Int, share: Int) throws {
        var limits = Limits()
        limits.packetsPerBatchMax = batch
        try Bench.run(limits) { bench in
            bench.port.driver = .stuck
            bench.port.shareMax = share
            let handle = try bench.associate()
            var ends: [WaitEnd] = []
            let ids = try (0..<50).map { _ in
                let id = try bench.read(handle)
                try bench.ops.onCompletion(id) { id, end in
                    ends.append(end)
                    try? bench.ops.free(id)
                }
                return id
            }
            for id in ids { #expect(try bench.ops.cancel(id)) }
            bench.settle()
            // The process is stopped; its driver is not.
            for request in bench.port.requests { bench.port.finish(request, MockPort.aborted) }
            bench.advance(nanoseconds: 3_600_000_000_000)
            bench.settle()
            #expect(ends == Array(repeating: .cancelled, count: 50))
        }
    }

    @Test("A driver that keeps the batches full keeps nobody who is stuck for longer than another grace") func flood() throws {
        var limits = Limits()
        limits.packetsPerBatchMax = 1
        try Bench.run(limits) { bench in
            bench.port.driver = .stuck
            let handle = try bench.associate()
            let (stuck, busy) = (try bench.read(handle), try bench.read(handle))
            let request = try bench.request
            var end: WaitEnd?
            try bench.ops.onCompletion(stuck) { end = $1 }
            #expect(try bench.ops.cancel(stuck))
            bench.settle()
            bench.advance(nanoseconds: limits.cancelGraceNanoseconds)
            // Each look brings a packet of nobody's, so that each batch is full, and takes a tenth of the grace.
            var looks = 0
            while end == nil, looks < 100 {
                looks += 1
                bench.port.finish(request, Completion(count: 0, status: RawStatus(rawValue: 0x103)))
                bench.loop.turn(.poll)
                bench.advance(nanoseconds: limits.cancelGraceNanoseconds / 10)
            }
            guard case .stuck = end else {
                Issue.record("it ended as \(String(describing: end))")
                return
            }
            #expect((10...12).contains(looks))
            bench.port.finish(bench.port.requests[0], MockPort.aborted)
            bench.port.finish(request, Completion(count: 0))
            for _ in 0..<3 { bench.settle() }
            try bench.ops.free(busy)
        }
    }

    @Test("A second request asks the port again, and does not prolong the grace") func twice() throws {
        try Bench.run { bench in
            bench.port.driver = .stuck
            let id = try bench.read(bench.associate())
            var end: WaitEnd?
            try bench.ops.onCompletion(id) { end = $1 }
            #expect(try bench.ops.cancel(id))
            bench.turnPast(grace / 2)
            #expect(try bench.ops.cancel(id))
            #expect(bench.port.journal.count("cancel") == 2)
            bench.turnPast(grace / 2)
            #expect(end != nil)
            bench.port.finish(try bench.request, MockPort.aborted)
            bench.settle()
        }
    }

    @Test("A request that was refused can be made again, and heard") func refusedFirst() throws {
        try Bench.run { bench in
            bench.port.driver = .refusing
            let id = try bench.read(bench.associate())
            var end: WaitEnd?
            try bench.ops.onCompletion(id) { end = $1 }
            #expect(try !bench.ops.cancel(id))
            bench.port.driver = .obedient
            #expect(try bench.ops.cancel(id))
            bench.settle()
            #expect(end == .cancelled)
            #expect(bench.ops.metrics.operations.refusedCancels == 1)
            try bench.ops.free(id)
        }
    }

    @Test("A cancel behind the deadline asks again, and the wait that ends by it has timed out") func afterDeadline() throws {
        try Bench.run { bench in
            bench.port.driver = .refusing
            let id = try bench.read(bench.associate())
            var end: WaitEnd?
            try bench.ops.onCompletion(id, timeout: .milliseconds(1)) { end = $1 }
            bench.turnPast(1_000_000)
            bench.turnPast(grace - 1)
            bench.port.driver = .obedient
            #expect(try bench.ops.cancel(id))
            bench.settle()
            #expect(end == .timedOut)
            try bench.ops.free(id)
        }
    }

    @Test("Work that was done before the cancel got there is finished") func tooLate() throws {
        try Bench.run { bench in
            bench.port.driver = .tooLate
            let id = try bench.read(bench.associate())
            var end: WaitEnd?
            try bench.ops.onCompletion(id) { end = $1 }
            #expect(try bench.ops.cancel(id))
            bench.settle()
            #expect(end == .finished)
            #expect(try bench.ops.result(id).count == 1)
        }
    }

    @Test("While nobody waits there is no grace; a wait that begins later has one from its beginning") func waitedForLater() throws {
        try Bench.run { bench in
            bench.port.driver = .stuck
            let id = try bench.read(bench.associate())
            #expect(try bench.ops.cancel(id))
            bench.turnPast(3 * grace)
            #expect(try bench.ops.state(id) == .submitted)
            var end: WaitEnd?
            try bench.ops.onCompletion(id, timeout: .seconds(3_600)) { end = $1 }
            #expect(bench.port.journal.count("cancel") == 1)
            bench.turnPast(grace - 1)
            #expect(end == nil)
            bench.turnPast(1)
            guard case .stuck = end else {
                Issue.record("not stuck")
                return
            }
            bench.port.finish(try bench.request, MockPort.aborted)
            bench.settle()
        }
    }

    @Test("A wait that begins between the cancel and its packet ends as cancelled") func waitedForBetween() throws {
        try Bench.run { bench in
            let id = try bench.read(bench.associate())
            #expect(try bench.ops.cancel(id))
            var end: WaitEnd?
            try bench.ops.onCompletion(id) { end = $1 }
            bench.settle()
            #expect(end == .cancelled)
            try bench.ops.free(id)
        }
    }

    @Test("A task that awaits the operation goes on, with what the packet or the grace says", arguments: [true, false])
    func task(answers: Bool) throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            bench.port.driver = answers ? .obedient : .stuck
            let end = try bench.loop.run { loop in
                let id = try loop.startRead(handle)
                let waiting = Task(executorPreference: loop) { await loop.end(of: id) }
                await Task.yield()
                #expect(try loop.operations.cancel(id))
                return try await waiting.value.get()
            }
            if answers { return #expect(end == .cancelled) }
            guard case .stuck = end else {
                Issue.record("not stuck")
                return
            }
            bench.port.finish(try bench.request, MockPort.aborted)
            bench.settle()
        }
    }
}
