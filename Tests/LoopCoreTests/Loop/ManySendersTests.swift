import Testing

@testable import LoopCore

@Suite("Many threads that send to one loop", .serialized) struct ManySendersTests {
    private static let threads = 8
    private static let each = 50_000

    @Test("Nothing is lost, nothing comes twice, and each thread's mail comes in its order") func nothingLost() throws {
        let waker = MockWaker()
        let mailbox = Mailbox(waker: waker)
        let senders = (0..<ManySendersTests.threads).map { thread in
            RealThread {
                for number in 0..<ManySendersTests.each {
                    _ = mailbox.post(.cancel(OperationID(generation: UInt64(number), index: .none, ledger: UInt32(thread))))
                }
            }
        }
        var next = [UInt64](repeating: 0, count: ManySendersTests.threads)
        var disorder = 0
        var left = ManySendersTests.threads * ManySendersTests.each
        while left > 0 {
            // As the loop does: armed before it sleeps, and it looks once more.
            mailbox.arm()
            if mailbox.isEmpty { waker.waitForWake() }
            _ = mailbox.disarm()
            mailbox.takeAll { mail in
                guard case .cancel(let id) = mail else { return }
                if next[Int(id.ledger)] != id.generation { disorder += 1 }
                next[Int(id.ledger)] += 1
                left -= 1
            }
        }
        for sender in senders { sender.join() }
        #expect(disorder == 0)
        #expect(next.allSatisfy { $0 == ManySendersTests.each })
        #expect(mailbox.isEmpty)
    }

    @Test("Calls from eight threads all run on the loop's thread, and a sleeping loop is always woken") func calls() throws {
        try Bench.run { bench in
            let (loop, ran, astray) = (bench.loop, Tally(), Tally())
            let senders = (0..<ManySendersTests.threads).map { _ in
                RealThread {
                    for _ in 0..<(ManySendersTests.each / 10) {
                        loop.post { loop in
                            ran.add()
                            if !loop.isOnLoopThread { astray.add() }
                        }
                    }
                }
            }
            let total = ManySendersTests.threads * ManySendersTests.each / 10
            while ran.value < total { loop.turn() }
            for sender in senders { sender.join() }
            #expect(ran.value == total)
            #expect(astray.value == 0)
        }
    }

    @Test("Calls that race the shutdown all run, before it or late", arguments: 0..<20)
    func shutdownRace(round: Int) throws {
        let (ran, began) = (Tally(), Tally())
        let bench = try Bench(Limits())
        let loop = bench.loop
        let senders = (0..<4).map { _ in
            RealThread {
                for _ in 0..<2_000 {
                    loop.post { _ in ran.add() }
                    began.add()
                }
            }
        }
        while began.value < round * 300 { loop.turn(.poll) }
        loop.shutdown()
        for sender in senders { sender.join() }
        #expect(ran.value == 8_000)
    }

    @Test("Calls to a loop that has ended all run, one at a time, on the threads that bring them") func late() throws {
        let bench = try Bench(Limits())
        let (loop, ran, inside, together) = (bench.loop, Tally(), Tally(), Tally())
        loop.shutdown()
        RealThread.crowd(ManySendersTests.threads) { _ in
            for _ in 0..<ManySendersTests.each {
                loop.post { _ in
                    inside.add()
                    if inside.value != 1 { together.add() }
                    ran.add()
                    inside.add(-1)
                }
            }
        }
        #expect(ran.value == ManySendersTests.threads * ManySendersTests.each)
        #expect(together.value == 0)
    }
}

extension ManySendersTests {
    @Test("Of two threads that bring a late call at the same instant, neither leaves the other's behind") func lateInPairs() throws {
        let bench = try Bench(Limits())
        let (loop, ran, lost) = (bench.loop, Tally(), Tally())
        loop.shutdown()
        let rounds = 20_000
        let (arrived, left) = (Tally(), Tally())
        RealThread.crowd(2) { _ in
            for round in 1...rounds {
                arrived.add()
                while arrived.value < round * 2 {}
                loop.post { _ in ran.add() }
                left.add()
                while left.value < round * 2 {}
                if ran.value < round * 2 { lost.add() }
            }
        }
        #expect(lost.value == 0, "rounds after which a call had not run, though both threads had returned")
        #expect(ran.value == rounds * 2)
    }
}
