import Testing

@testable import LoopCore

@Suite("The wait for an operation") struct WaitingTests {
    @Test("The waiter is handed out once, and with it the timer is forgotten") func takenOnce() {
        var heap = TimerHeap<Int>()
        let timer = heap.insert(MonotonicInstant(nanoseconds: 1), 0)
        var record = WaitingTests.makeRecord()
        #expect(record.takeWaiter() == nil)
        record.beginWait(.callback { _, _ in }, deadline: timer)
        guard case .waiting = record.stage else {
            Issue.record("begin waits")
            return
        }
        #expect(record.waiting.timer == timer)
        #expect(record.takeWaiter() != nil)
        guard case .none = record.stage else {
            Issue.record("take ends the wait")
            return
        }
        #expect(record.waiting.timer == nil)
        #expect(record.takeWaiter() == nil)
    }

    @Test("The end of a wait keeps the waiter and its cause, and changes the deadline for the grace") func ending() {
        var heap = TimerHeap<Int>()
        let deadline = heap.insert(MonotonicInstant(nanoseconds: 1), 0)
        let grace = heap.insert(MonotonicInstant(nanoseconds: 2), 0)
        var record = WaitingTests.makeRecord()
        record.beginWait(.callback { _, _ in }, deadline: deadline)
        record.endWait(.timedOut, grace: grace)
        guard case .ending(.timedOut) = record.stage else {
            Issue.record("the cause is kept")
            return
        }
        #expect(record.waiting.timer == grace)
        #expect(record.takeWaiter() != nil)
    }

    @Test("A waiter that is taken lets go of its function when it is dropped") func released() {
        let gone = Tally()
        var record = WaitingTests.makeRecord()
        do {
            let witness = Witness(gone)
            record.beginWait(.callback { _, _ in witness.stay() }, deadline: nil)
        }
        #expect(gone.value == 0)
        _ = record.takeWaiter()
        #expect(gone.value == 1)
    }

    @Test("A record without a kind waits for nobody") func withoutKind() {
        var record = WaitingTests.makeRecord()
        record.beginWaitForKind()
        #expect(record.stage.isNone && record.takeWaiter() == nil)
    }

    private static func makeRecord() -> Record { Record(index: CellIndex(rawValue: 0), sizeClass: .smallest) }
}
