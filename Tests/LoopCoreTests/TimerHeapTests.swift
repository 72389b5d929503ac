import LoopCore
import Testing

@Suite("Timer heap") struct TimerHeapTests {
    @Test("Due timers pop in the order of their deadlines, and no earlier than those") func popping() throws {
        var heap = TimerHeap<Int>()
        for deadline in [30, 10, 20, 50, 40] { _ = heap.insert(.at(deadline), deadline) }
        #expect(heap.nextDeadline == .at(10))
        #expect(heap.popDue(now: .at(9)) == nil)
        #expect(heap.popDue(now: .at(35))?.payload == 10)
        #expect(heap.popDue(now: .at(35))?.payload == 20)
        #expect(heap.popDue(now: .at(35))?.deadline == .at(30))
        #expect(heap.popDue(now: .at(35)) == nil)
        #expect(heap.nextDeadline == .at(40))
        #expect(heap.count == 2)
        try heap.checkInvariants()
    }

    @Test("Equal deadlines fire in the order in which they were set or re-armed", arguments: [3, 100, 5_000])
    func ties(count: Int) throws {
        var heap = TimerHeap<Int>()
        let ids = (0..<count).map { heap.insert(.at(7), $0) }
        #expect(heap.rearm(ids[0], .at(7)) == true)
        #expect(heap.popDue(now: .at(7))?.payload == 1)
        #expect(heap.collectDue(now: .at(7)) == count - 1)
        #expect(heap.takeAll() == Array(2..<count) + [0])
        try heap.checkInvariants()
    }

    @Test("A cancelled timer gives its payload back and does not fire") func cancelling() throws {
        var heap = TimerHeap<Int>()
        let ids = (0..<9).map { heap.insert(.at(10 * $0), $0) }
        #expect(heap.cancel(ids[4]) == 4)
        #expect(heap.cancel(ids[0]) == 0)
        #expect(heap.cancel(ids[8]) == 8)
        #expect(heap.collectDue(now: .distantFuture) == 6)
        #expect(heap.takeAll() == [1, 2, 3, 5, 6, 7])
    }

    @Test("An id whose timer is gone does nothing, even when its slot has a new tenant") func staleIDs() {
        var heap = TimerHeap<Int>()
        let fired = heap.insert(.at(1), 1)
        #expect(heap.popDue(now: .at(1))?.id == fired)
        let tenant = heap.insert(.at(2), 2)
        #expect(heap.cancel(fired) == nil)
        #expect(heap.rearm(fired, .at(3)) == false)
        #expect(heap.contains(fired) == false)
        #expect(heap.deadline(of: fired) == nil)
        #expect(heap.contains(tenant) == true)
        #expect(heap.cancel(tenant) == 2)
        #expect(heap.cancel(tenant) == nil)
    }

    @Test("An id of another heap finds nothing where that heap has no such slot or a free one") func foreignIDs() {
        var other = TimerHeap<Int>()
        let ids = (0..<3).map { other.insert(.at(1), $0) }
        var heap = TimerHeap<Int>()
        _ = heap.insert(.at(1), 1)
        let own = heap.insert(.at(1), 2)
        #expect(heap.cancel(own) == 2)
        #expect(heap.cancel(ids[1]) == nil)
        #expect(heap.cancel(ids[2]) == nil)
        #expect(heap.count == 1)
    }

    @Test("Re-arming moves a timer both ways under the same id") func rearming() {
        var heap = TimerHeap<Int>()
        let ids = (1...20).map { heap.insert(.at(10 * $0), $0) }
        #expect(heap.rearm(ids[0], .at(205)) == true)
        #expect(heap.rearm(ids[19], .at(5)) == true)
        #expect(heap.deadline(of: ids[0]) == .at(205))
        #expect(heap.nextDeadline == .at(5))
        #expect(heap.collectDue(now: .distantFuture) == 20)
        #expect(heap.takeAll() == [20] + Array(2...19) + [1])
    }

    @Test("A timer of the distant future is never due before that") func distantFuture() {
        var heap = TimerHeap<Int>()
        let never = heap.insert(.at(5).advanced(by: .max), 1)
        #expect(heap.collectDue(now: MonotonicInstant(nanoseconds: .max - 1)) == 0)
        #expect(heap.popDue(now: MonotonicInstant(nanoseconds: .max - 1)) == nil)
        #expect(heap.nextDeadline == .distantFuture)
        #expect(heap.cancel(never) == 1)
        #expect(heap.nextDeadline == nil)
    }

    @Test("Numbers that run out are dealt anew, order and ids unharmed", arguments: [10, 1_000]) func ticketsRunOut(count: Int) throws {
        var heap = TimerHeap<Int>(firstTicket: .max - UInt32(count / 2))
        var ids = (0..<count).map { heap.insert(.at($0 % 7), $0) }
        try heap.checkInvariants()
        #expect(heap.rearm(ids[0], .at(0)) == true)
        ids.append(heap.insert(.at(0), count))
        #expect(ids.allSatisfy { heap.contains($0) })
        #expect(Set(ids).count == ids.count)
        #expect(heap.collectDue(now: .distantFuture) == count + 1)
        let expected = (1..<count).sorted { ($0 % 7, $0) < ($1 % 7, $1) }
        let fired = heap.takeAll()
        #expect(fired.filter { $0 != 0 && $0 != count } == expected)
        #expect(fired.firstIndex(of: 0) == fired.firstIndex(of: count).map { $0 - 1 })
        #expect(fired.firstIndex(of: 1) == fired.firstIndex(of: count).map { $0 + 1 })
    }

    @Test("Numbers that run out while a timer is re-armed do not lose its place") func ticketsRunOutInRearm() throws {
        var heap = TimerHeap<Int>(firstTicket: .max - 40)
        let ids = (0..<40).map { heap.insert(.at(100 - $0), $0) }
        #expect(heap.rearm(ids[0], .at(1)) == true)
        try heap.checkInvariants()
        #expect(heap.collectDue(now: .distantFuture) == 40)
        #expect(heap.takeAll() == [0] + (1..<40).reversed())
    }
}
