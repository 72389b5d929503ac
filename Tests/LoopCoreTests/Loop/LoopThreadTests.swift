import Testing

@testable import LoopCore

@Suite("The loop's thread") struct LoopThreadTests {
    @Test("It is the thread that made it, and no other") func owner() {
        let thread = LoopThread(waker: MockWaker())
        let elsewhere = Tally()
        #expect(thread.isCurrent)
        RealThread.elsewhere { if thread.isCurrent { elsewhere.add() } }
        #expect(elsewhere.value == 0)
    }

    @Test("Nobody enters while it has a thread, its own one included") func occupied() {
        let thread = LoopThread(waker: MockWaker())
        let entered = Tally()
        #expect(!thread.enter())
        RealThread.elsewhere { if thread.enter() { entered.add() } }
        #expect(entered.value == 0)
        #expect(thread.isCurrent)
    }

    @Test("Once it is left, one thread enters and becomes its own until it leaves") func entered() {
        let thread = LoopThread(waker: MockWaker())
        let right = Tally()
        thread.leave()
        #expect(!thread.isCurrent)
        RealThread.elsewhere {
            if thread.enter(), thread.isCurrent, !thread.enter() { right.add() }
            thread.leave()
        }
        #expect(right.value == 1)
        #expect(thread.enter())
        #expect(thread.isCurrent)
    }

    @Test("Of many that enter at once one is inside at a time") func crowd() {
        let thread = LoopThread(waker: MockWaker())
        let (inside, together, entries) = (Tally(), Tally(), Tally())
        thread.leave()
        RealThread.crowd(4) { _ in
            for _ in 0..<10_000 where thread.enter() {
                inside.add()
                if inside.value != 1 { together.add() }
                entries.add()
                inside.add(-1)
                thread.leave()
            }
        }
        #expect(together.value == 0)
        #expect(entries.value > 0)
    }
}
