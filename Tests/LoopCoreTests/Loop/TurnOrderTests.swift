import Testing

@testable import LoopCore

@Suite("The order of a turn") struct TurnOrderTests {
    @Test("Mail, jobs, cancels, timers, the wait, every packet, and then whoever waits for one") func order() throws {
        try Bench.run { bench in
            let (port, ops, loop) = (bench.port, bench.ops, bench.loop)
            let journal = port.journal
            let (kept, retired) = (try bench.associate(3), try bench.associate(4))

            let cancelled = try bench.read(kept)
            try ops.onCompletion(cancelled) { _, _ in journal.add("told") }
            ops.cancelWait(cancelled)
            let last = try bench.read(retired)
            try ops.onCompletion(last) { _, _ in journal.add("told") }
            try ops.perform(on: kept) { op in
                op.remote { $0.complete() }
            } completed: { id, _ in
                journal.add("told")
                try? ops.free(id)
            }
            ops.call(at: bench.loop.now) { journal.add("timer") }
            try ops.retire(retired) { _ in journal.add("retired") }
            RealThread.elsewhere { loop.post { _ in journal.add("job") } }

            journal.clear()
            loop.turn(.poll)
            #expect(
                journal.lines == [
                    "post", "job", "cancel", "timer", "wait", "dissociate", "told", "told", "told", "retired",
                ])
            for id in [cancelled, last] { try ops.free(id) }
        }
    }
}
