import Testing

@testable import LoopCore

@Suite("The wait for an operation") struct WaitingTests {
    @Test("The waiter is handed out once, and with it the timer is forgotten") func takenOnce() {
        var heap = TimerHeap<Int>()
        let timer = heap.insert(MonotonicInstant(nanoseconds: 1), 0)
        var waiting = Waiting()
        #expect(waiting.take() == nil)
        waiting.begin(.callback { _, _ in }, deadline: timer)
        guard case .waiting = waiting.stage else {
            Issue.record("begin waits")
            return
        }
        #expect(waiting.timer == timer)
        #expect(waiting.take() != nil)
        guard case .none = waiting.stage else {
            Issue.record("take ends the wait")
            return
        }
        #expect(waiting.timer == nil)
        #expect(waiting.take() == nil)
    }

    @Test("The end of a wait keeps the waiter and its cause, and changes the deadline for the grace") func ending() {
        var heap = TimerHeap<Int>()
        let deadline = heap.insert(MonotonicInstant(nanoseconds: 1), 0)
        let grace = heap.insert(MonotonicInstant(nanoseconds: 2), 0)
        var waiting = Waiting()
        waiting.begin(.callback { _, _ in }, deadline: deadline)
        waiting.end(.timedOut, grace: grace)
        guard case .ending(.timedOut) = waiting.stage else {
            Issue.record("the cause is kept")
            return
        }
        #expect(waiting.timer == grace)
        #expect(waiting.take() != nil)
    }

    @Test("A waiter that is taken lets go of its function when it is dropped") func released() {
        let gone = Tally()
        var waiting = Waiting()
        do {
            let witness = Witness(gone)
            waiting.begin(.callback { _, _ in witness.stay() }, deadline: nil)
        }
        #expect(gone.value == 0)
        _ = waiting.take()
        #expect(gone.value == 1)
    }
}
