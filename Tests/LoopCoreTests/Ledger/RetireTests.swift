import Testing

@testable import LoopCore

@Suite("Retiring a handle") struct RetireTests {
    @Test("A handle with nothing in flight is given back in a later phase, once") func idle() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let told = Tally()
            try bench.ops.retire(handle) { report in
                #expect(report.stuck == 0)
                told.add()
            }
            #expect(told.value == 0)
            #expect(bench.port.journal.count("dissociate") == 1)
            bench.settle()
            #expect(told.value == 1)
            #expect(!bench.ops.isAssociated(handle))
        }
    }

    @Test("Operations in flight are cancelled, and their waiters are told before the handle is given back") func inFlight() throws {
        try Bench.run { bench in
            let (handle, journal) = (try bench.associate(), bench.port.journal)
            let ids = try (0..<3).map { _ in try bench.read(handle) }
            for id in ids { try bench.ops.onCompletion(id) { _, _ in journal.add("told") } }
            journal.clear()
            try bench.ops.retire(handle) { _ in journal.add("retired") }
            bench.settle()
            #expect(
                journal.lines.filter { $0 != "wait" } == ["cancel", "cancel", "cancel", "dissociate", "told", "told", "told", "retired"])
            for id in ids { try bench.ops.free(id) }
        }
    }

    @Test("A handle can be retired once, and takes no operation from then on") func twice() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            bench.port.driver = .stuck
            let id = try bench.read(handle)
            try bench.ops.retire(handle)
            #expect(throws: OperationError.notAssociated) { try bench.ops.retire(handle) }
            #expect(throws: OperationError.notAssociated) { try bench.prepare(handle) }
            bench.port.finish(try bench.request, MockPort.aborted)
            bench.settle()
            #expect(throws: OperationError.notAssociated) { try bench.ops.retire(handle) }
            try bench.ops.free(id)
            #expect(throws: OperationError.notAssociated) { try bench.ops.retire(handle) }
        }
    }

    @Test("Another loop's handle is refused") func foreign() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            try Bench.run { other in
                #expect(throws: OperationError.notAssociated) { try other.ops.retire(handle) }
                #expect(throws: OperationError.notAssociated) { try other.prepare(handle) }
                #expect(!other.ops.isAssociated(handle))
            }
        }
    }

    @Test("A driver that keeps an operation is waited for until the grace, and the report counts it") func stuck() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            bench.port.driver = .stuck
            _ = try bench.read(handle)
            var report: RetireReport?
            try bench.ops.retire(handle) { report = $0 }
            bench.advance(nanoseconds: Limits().cancelGraceNanoseconds - 1)
            bench.settle()
            #expect(report == nil)
            bench.turnPast(1)
            #expect(report == RetireReport(stuck: 1))
            bench.port.finish(try bench.request, MockPort.aborted)
            bench.settle()
            #expect(bench.ops.metrics.operations.orphansReturned == 1)
        }
    }

    @Test("A retire that ends before its grace takes the grace's timer along") func graceIsCancelled() throws {
        try Bench.run { bench in
            let id = try bench.read(bench.associate())
            try bench.ops.retire(bench.lastHandle)
            #expect(bench.ops.metrics.timersWaiting == 1)
            bench.settle()
            #expect(bench.ops.metrics.timersWaiting == 0)
            try bench.ops.free(id)
        }
    }

    @Test("An operation that a retire gives up on takes its deadline's timer along") func deadlineIsCancelled() throws {
        try Bench.run { bench in
            bench.port.driver = .stuck
            let id = try bench.read(bench.associate())
            var end: WaitEnd?
            try bench.ops.onCompletion(id, timeout: .seconds(3_600)) { end = $1 }
            try bench.ops.retire(bench.lastHandle)
            bench.turnPast(Limits().cancelGraceNanoseconds)
            guard case .stuck = end else {
                Issue.record("the waiter is told that it is stuck")
                return
            }
            #expect(bench.ops.metrics.timersWaiting == 0)
            bench.port.finish(try bench.request, MockPort.aborted)
            bench.settle()
        }
    }

    @Test("An operation that was prepared before the retire and submitted after it is asked to end") func lateSubmission() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            let id = try bench.prepare(handle)
            bench.port.driver = .stuck
            let other = try bench.read(handle)
            try bench.ops.retire(handle)
            #expect(throws: OperationError.notAssociated) { try bench.ops.read(id) }
            bench.port.journal.clear()
            // SAFETY: the test is the kernel, and its packet comes below.
            unsafe try bench.ops.submitted(id)
            #expect(bench.port.journal.lines == ["cancel"])
            bench.port.finish(try bench.request, MockPort.aborted)
            let late = try bench.ops.ledger.find(id)
            // SAFETY: the address of a record that is submitted.
            unsafe bench.ops.forgePacket(late.block, MockPort.aborted)
            bench.settle()
            for id in [id, other] { try bench.ops.free(id) }
        }
    }

    @Test("A result that nobody has taken keeps the generation, and not the handle") func completedStays() throws {
        try Bench.run { bench in
            let id = try bench.read(bench.associate())
            bench.port.finish(try bench.request, bytes: [1])
            bench.settle()
            try bench.ops.retire(bench.lastHandle)
            bench.settle()
            #expect(bench.ops.metrics.handles == 1)
            #expect(try bench.ops.result(id).copyBytes() == [1])
            #expect(bench.ops.metrics.handles == 0)
        }
    }
}
