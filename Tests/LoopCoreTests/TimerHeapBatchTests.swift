import LoopCore
import Testing

@Suite("Timer heap: the batch of due timers") struct TimerHeapBatchTests {
    @Test("A batch holds what is due, and hands it out in firing order", arguments: [1, 5, 100, 3_000, 20_000])
    func collecting(count: Int) throws {
        var generator = SeededRandom(seed: UInt64(count))
        var heap = TimerHeap<Int>()
        let deadlines = (0..<count).map { _ in Int(generator.next() % 1_000_000) }
        for (index, deadline) in deadlines.enumerated() { _ = heap.insert(.at(deadline), index) }
        let due = deadlines.indices.filter { deadlines[$0] <= 600_000 }.sorted { (deadlines[$0], $0) < (deadlines[$1], $1) }
        #expect(heap.collectDue(now: .at(600_000)) == due.count)
        try heap.checkInvariants()
        #expect(heap.count == count)
        #expect(heap.takeAll() == due)
        #expect(heap.count == count - due.count)
        try heap.checkInvariants()
    }

    @Test("A batch stays within its limit, takes the earliest, and leaves the others in order", arguments: [1, 3, 64, 1_500, 8_000])
    func limits(limit: Int) throws {
        var generator = SeededRandom(seed: UInt64(limit))
        var heap = TimerHeap<UInt64>()
        let deadlines = (0..<8_000).map { _ in generator.next() }
        for deadline in deadlines { _ = heap.insert(MonotonicInstant(nanoseconds: deadline), deadline) }
        var fired: [UInt64] = []
        for round in 0..<20 {
            let collected = heap.collectDue(now: .distantFuture, limit: limit)
            #expect(collected <= limit)
            #expect(collected > 0 || heap.count == 0)
            if round % 5 == 0 { try heap.checkInvariants() }
            fired += heap.takeAll()
        }
        #expect(fired == Array(deadlines.sorted().prefix(fired.count)))
        #expect(fired.count >= min(8_000, 2 * limit))
    }

    @Test("Deadlines set in ascending, descending and equal order are no harder", arguments: [0, 1, 2])
    func patterns(pattern: Int) throws {
        var heap = TimerHeap<Int>()
        for index in 0..<6_000 { _ = heap.insert(.at([index, 6_000 - index, 1][pattern]), index) }
        var fired: [Int] = []
        while heap.collectDue(now: .distantFuture, limit: 700) > 0 {
            try heap.checkInvariants()
            fired += heap.takeAll()
        }
        #expect(fired == (pattern == 1 ? (0..<6_000).reversed() : Array(0..<6_000)))
    }

    @Test("A collected timer that its sibling cancels does not fire") func cancelledSibling() throws {
        var heap = TimerHeap<Int>()
        let ids = (0..<6).map { heap.insert(.at($0), $0) }
        #expect(heap.collectDue(now: .at(4)) == 5)
        #expect(heap.takeCollected()?.payload == 0)
        #expect(heap.contains(ids[1]) == true)
        #expect(heap.deadline(of: ids[3]) == .at(3))
        #expect(heap.cancel(ids[1]) == 1)
        #expect(heap.cancel(ids[3]) == 3)
        #expect(heap.cancel(ids[0]) == nil)
        #expect(heap.nextDeadline == .at(2))
        try heap.checkInvariants()
        #expect(heap.takeAll() == [2, 4])
        #expect(heap.nextDeadline == .at(5))
    }

    @Test("A collected timer that is re-armed leaves its batch and fires when its new deadline has come") func rearmedSibling() throws {
        var heap = TimerHeap<Int>()
        let ids = (0..<3).map { heap.insert(.at($0), $0) }
        #expect(heap.collectDue(now: .at(9)) == 3)
        #expect(heap.rearm(ids[1], .at(5)) == true)
        #expect(heap.rearm(ids[2], .at(50)) == true)
        #expect(heap.rearm(ids[1], .at(6)) == true)
        #expect(heap.takeAll() == [0])
        #expect(heap.deadline(of: ids[1]) == .at(6))
        #expect(heap.collectDue(now: .at(9)) == 1)
        #expect(heap.takeAll() == [1])
        #expect(heap.nextDeadline == .at(50))
        try heap.checkInvariants()
    }

    @Test("Cancelling a whole batch ends it") func cancelledBatch() throws {
        var heap = TimerHeap<Int>()
        let ids = (0..<4).map { heap.insert(.at($0), $0) }
        #expect(heap.collectDue(now: .at(2)) == 3)
        for id in ids.prefix(3).reversed() { #expect(heap.cancel(id) != nil) }
        #expect(heap.takeCollected() == nil)
        #expect(heap.collectDue(now: .at(3)) == 1)
        #expect(heap.takeAll() == [3])
        #expect(heap.count == 0)
    }

    @Test("A slot that a cancelled sibling left is not mistaken for it by the batch") func reusedSlot() throws {
        var heap = TimerHeap<Int>()
        let ids = (0..<4).map { heap.insert(.at($0), $0) }
        #expect(heap.collectDue(now: .at(3)) == 4)
        #expect(heap.cancel(ids[2]) == 2)
        _ = heap.insert(.at(1), 10)
        try heap.checkInvariants()
        #expect(heap.takeAll() == [0, 1, 3])
        #expect(heap.collectDue(now: .at(3)) == 1)
        #expect(heap.takeAll() == [10])
    }

    @Test("What a fired timer sets fires after its batch, however early the deadline") func insertedWhileFiring() {
        var heap = TimerHeap<Int>()
        for index in 5...7 { _ = heap.insert(.at(index), index) }
        #expect(heap.collectDue(now: .at(9)) == 3)
        #expect(heap.takeCollected()?.payload == 5)
        _ = heap.insert(.at(1), 1)
        #expect(heap.nextDeadline == .at(1))
        #expect(heap.collectDue(now: .at(9)) == 2)
        #expect(heap.popDue(now: .at(9))?.payload == 6)
        #expect(heap.takeAll() == [7])
        #expect(heap.popDue(now: .at(9))?.payload == 1)
    }
}
