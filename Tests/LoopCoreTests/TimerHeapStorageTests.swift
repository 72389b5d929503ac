import LoopCore
import Testing

@Suite("Timer heap: memory and payloads") struct TimerHeapStorageTests {
    @Test("Storage grows with the timers and keeps every one") func growth() throws {
        var heap = TimerHeap<Int>()
        let small = heap.capacity
        let ids = (0..<10_000).map { heap.insert(.at(10_000 - $0), $0) }
        #expect(heap.capacity >= 10_000)
        #expect(heap.capacity > small)
        #expect(ids.indices.allSatisfy { heap.deadline(of: ids[$0]) == .at(10_000 - $0) })
        try heap.checkInvariants()
    }

    @Test("Slots are recycled: timers that come and go make nothing grow") func steadyState() {
        var heap = TimerHeap<Int>()
        let capacity = heap.capacity
        for index in 0..<1_000 {
            let id = heap.insert(.at(index), index)
            if index % 2 == 0 {
                #expect(heap.cancel(id) == index)
            } else {
                #expect(heap.popDue(now: .distantFuture)?.payload == index)
            }
        }
        #expect(heap.capacity == capacity)
    }

    @Test("Memory is given back after a peak, as far as the highest live slot allows") func shrinking() throws {
        var heap = TimerHeap<Int>(slotsKept: 64)
        let ids = (0..<10_000).map { heap.insert(.at(1_000_000 + $0), $0) }
        let peak = heap.capacity
        #expect(ids[100..<9_999].allSatisfy { heap.cancel($0) != nil })
        turnOver(&heap, times: peak)
        #expect(heap.capacity == peak)
        try heap.checkInvariants()
        #expect(heap.cancel(ids[9_999]) == 9_999)
        turnOver(&heap, times: peak)
        #expect(heap.capacity <= peak / 16)
        try heap.checkInvariants()
        let later = (0..<1_000).map { heap.insert(.at($0), $0) }
        #expect(ids[..<100].allSatisfy { heap.contains($0) })
        #expect(ids[100...].allSatisfy { !heap.contains($0) })
        #expect(later.allSatisfy { heap.contains($0) })
        try heap.checkInvariants()
    }

    @Test("Memory is given back to a loop that always has some timers, wherever the peak left their slots")
    func shrinkingUnderLoad() throws {
        var generator = SeededRandom(seed: 7)
        var heap = TimerHeap<Int>(slotsKept: 256)
        for index in 0..<10_000 { _ = heap.insert(.at(Int(generator.next() % 1_000)), index) }
        let peak = heap.capacity
        while heap.count > 50 { _ = heap.popDue(now: .distantFuture) }
        turnOver(&heap, times: 2 * peak)
        #expect(heap.capacity <= peak / 16)
        #expect(heap.count == 50)
        try heap.checkInvariants()
    }

    @Test("Slots that are held back are used again before the storage grows") func heldBack() throws {
        var heap = TimerHeap<Int>(slotsKept: 64)
        let ids = (0..<1_024).map { heap.insert(.at($0), $0) }
        #expect(heap.capacity == 1_024)
        #expect(ids.dropLast().allSatisfy { heap.cancel($0) != nil })
        try heap.checkInvariants()
        let later = (0..<1_023).map { heap.insert(.at($0), $0) }
        #expect(heap.capacity == 1_024)
        #expect(later.allSatisfy { heap.contains($0) })
        #expect(heap.contains(ids[1_023]) == true)
        try heap.checkInvariants()
    }

    @Test("Firing a peak gives its memory back, in the middle of a batch never") func shrinkingWhileFiring() throws {
        var heap = TimerHeap<Int>()
        for index in 0..<100_000 { _ = heap.insert(.at(index), index) }
        let peak = heap.capacity
        #expect(heap.collectDue(now: .distantFuture, limit: 100_000) == 100_000)
        #expect((0..<99_999).allSatisfy { heap.takeCollected()?.payload == $0 })
        #expect(heap.capacity == peak)
        #expect(heap.takeCollected()?.payload == 99_999)
        #expect(heap.capacity <= peak / 16)
        #expect(heap.takeCollected() == nil)
        try heap.checkInvariants()
    }

    @Test("A payload is released once: by whoever took it, or with the heap") func lifetimes() {
        let counter = Counter()
        do {
            var heap = TimerHeap<Payload>()
            let ids = (0..<10_000).map { heap.insert(.at($0), .token(Token(counter))) }
            #expect(counter.live == 10_000)
            for index in stride(from: 0, to: 10_000, by: 3) { _ = heap.cancel(ids[index]) }
            #expect(counter.live == 6_666)
            let collected = heap.collectDue(now: .at(4_999), limit: 1_000)
            #expect(counter.live == 6_666)
            for _ in 0..<(collected / 2) { _ = heap.takeCollected() }
            #expect(counter.live == 6_666 - collected / 2)
            let token = Token(counter)
            _ = heap.insert(.at(1), .call { _ = token })
            #expect(heap.count == counter.live)
        }
        #expect(counter.live == 0)
    }

    @Test("A payload that leaves the heap lives as long as its new owner wants") func ownership() {
        let counter = Counter()
        var heap = TimerHeap<Payload>()
        let id = heap.insert(.at(1), .token(Token(counter)))
        var kept = heap.cancel(id)
        #expect(counter.live == 1)
        #expect(kept != nil)
        kept = nil
        #expect(counter.live == 0)
    }
}

/// The earliest timer goes and another comes.
private func turnOver(_ heap: inout TimerHeap<Int>, times: Int) {
    for index in 0..<times {
        _ = heap.insert(.at(500_000 + index), index)
        _ = heap.popDue(now: .distantFuture)
    }
}

private final class Counter {
    var live = 0
}

private final class Token {
    private let counter: Counter

    init(_ counter: Counter) {
        self.counter = counter
        counter.live += 1
    }

    deinit { counter.live -= 1 }
}

private enum Payload {
    case token(Token)
    case call(() -> Void)
}
