import Testing

@testable import LoopCore

@Suite("The queue of mail") final class MailQueueTests {
    private let queue = MailQueue()
    private var isEmpty: Bool { queue.isEmpty }

    private func push(_ numbers: Range<Int>) {
        for number in numbers { queue.push(mail(number)) }
    }

    private func mail(_ number: Int) -> Mail { .cancel(OperationID(generation: UInt64(number), index: .none, ledger: 0)) }

    private func taken() -> [Int] {
        var numbers: [Int] = []
        queue.takeAll { mail in
            if case .cancel(let id) = mail { numbers.append(Int(id.generation)) }
        }
        return numbers
    }

    @Test("More than the ring holds comes in order, through the chain", arguments: [1, 63, 64, 65, 200])
    func beyondTheRing(count: Int) {
        for round in 0..<3 {
            push(0..<count)
            #expect(!isEmpty)
            #expect(taken() == Array(0..<count), "round \(round)")
            #expect(isEmpty)
        }
    }

    @Test("While there is a chain everything goes to it, though the ring has room again") func chainFirst() {
        push(0..<70)
        var numbers: [Int] = []
        queue.takeAll { mail in
            if numbers.isEmpty { push(70..<75) }
            if case .cancel(let id) = mail { numbers.append(Int(id.generation)) }
        }
        while !queue.isEmpty { numbers += taken() }
        #expect(numbers == Array(0..<75))
    }

    @Test("A sender who has a place and is slow to fill it holds up what was sent after him, and the loop may sleep meanwhile")
    func slowSender() throws {
        push(0..<2)
        let claimed = queue.claim()
        let place = try #require(claimed)
        push(3..<100)
        #expect(taken() == [0, 1])
        #expect(isEmpty)
        #expect(taken().isEmpty)
        queue.fill(place, mail(2))
        #expect(!isEmpty)
        var numbers = taken()
        while !queue.isEmpty { numbers += taken() }
        #expect(numbers == Array(2..<100))
    }

    @Test("What was never taken is destroyed with the queue", arguments: [1, 64, 100])
    func abandoned(count: Int) {
        let witness = Tally()
        do {
            let queue = MailQueue()
            for _ in 0..<count {
                let counted = Counted(witness)
                queue.push(.call { _ in counted.touch() })
            }
            #expect(witness.value == 0)
        }
        #expect(witness.value == count)
    }
}

/// Counts its own end.
private final class Counted: Sendable {
    private let tally: Tally
    init(_ tally: Tally) { self.tally = tally }
    func touch() {}
    deinit { tally.add() }
}
