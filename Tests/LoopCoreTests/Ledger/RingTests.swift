import Testing

@testable import LoopCore

@Suite("The ring") struct RingTests {
    @Test("What goes in first comes out first, round the end of its memory many times") func wraps() {
        var ring = Ring<Int>(capacity: 4)
        var next = 0
        for value in 0..<1_000 {
            ring.append(value)
            if value % 3 != 0 {
                #expect(ring.popFirst() == next)
                next += 1
            }
            if ring.count == 3 {
                #expect(ring.popFirst() == next)
                next += 1
            }
        }
        while let value = ring.popFirst() {
            #expect(value == next)
            next += 1
        }
        #expect(next == 1_000)
    }

    @Test("It grows in order, wherever its head is", arguments: 0..<8)
    func grows(head: Int) {
        var ring = Ring<Int>(capacity: 8)
        for value in 0..<head {
            ring.append(value)
            _ = ring.popFirst()
        }
        for value in 0..<100 { ring.append(value) }
        #expect(ring.count == 100)
        for value in 0..<100 { #expect(ring.popFirst() == value) }
        #expect(ring.isEmpty == true)
        #expect(ring.popFirst() == nil)
    }

    @Test("A capacity of any size makes a ring that works", arguments: [1, 2, 3, 5, 64, 65])
    func capacities(capacity: Int) {
        var ring = Ring<Int>(capacity: capacity)
        for value in 0..<(capacity * 3) { ring.append(value) }
        for value in 0..<(capacity * 3) { #expect(ring.popFirst() == value) }
    }

    @Test("It keeps each element once, and lets go of those that are left when it ends") func elements() {
        let gone = Tally()
        do {
            var ring = Ring<Witness>(capacity: 4)
            for _ in 0..<3 { ring.append(Witness(gone)) }
            _ = ring.popFirst()
            #expect(gone.value == 1)
            for _ in 0..<20 { ring.append(Witness(gone)) }
            #expect(gone.value == 1)
            for _ in 0..<5 { _ = ring.popFirst() }
            #expect(gone.value == 6)
        }
        #expect(gone.value == 23)
    }

    @Test("It counts at random as an array does") func model() {
        var random = SeededRandom(seed: 7)
        var ring = Ring<String>(capacity: 2)
        var model: [String] = []
        for step in 0..<20_000 {
            if Int.random(in: 0..<100, using: &random) < (step < 10_000 ? 55 : 45) {
                ring.append("\(step)")
                model.append("\(step)")
            } else {
                #expect(ring.popFirst() == (model.isEmpty ? nil : model.removeFirst()))
            }
            #expect(ring.count == model.count)
        }
    }
}
