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
