import Testing

@testable import LoopCore

@Suite("Ends of channels") struct SyncChannelEndTests {
    @Test("Finished: what was sent is received, then nil, as often as it is asked for") func finish() throws {
        try Bench.run { bench in
            let received = try bench.loop.run { loop in
                let channel = Channel<Int>(on: loop, capacity: 2)
                try await channel.send(1)
                try await channel.send(2)
                channel.finish()
                channel.finish()
                #expect(channel.trySend(3) == .closed)
                #expect(await failure { try await channel.send(3) } == .closed)
                var received: [Int?] = []
                for _ in 0..<4 { received.append(try await channel.receive()) }
                return received
            }
            #expect(received == [1, 2, nil, nil])
        }
    }

    @Test("Finished while receivers wait: nil, for all of them") func finishReceivers() throws {
        try Bench.run { bench in
            let got = bench.loop.run { loop in
                let channel = Channel<Int>(on: loop, capacity: 2)
                let fibers = (0..<3).map { _ in loop.spawn { _ in await outcome { try await channel.receive() } } }
                await pause(loop)
                channel.finish()
                return [await fibers[0].value, await fibers[1].value, await fibers[2].value]
            }
            #expect(got == [.success(nil), .success(nil), .success(nil)])
        }
    }

    @Test("Finished while an element is on its way to one receiver: that one gets it, the others nil") func finishBetween() throws {
        try Bench.run { bench in
            let got = bench.loop.run { loop in
                let channel = Channel<Int>(on: loop, capacity: 2)
                let fibers = (0..<2).map { _ in loop.spawn { _ in await outcome { try await channel.receive() } } }
                await pause(loop)
                #expect(channel.trySend(5) == .sent)
                channel.finish()
                return [await fibers[0].value, await fibers[1].value]
            }
            #expect(got == [.success(5), .success(nil)])
        }
    }

    @Test("Finished while senders wait: they are refused, but for one that has been handed room") func finishSenders() throws {
        try Bench.run { bench in
            let (errors, received) = try bench.loop.run { loop in
                let channel = Channel<Int>(on: loop, capacity: 1)
                try await channel.send(0)
                let fibers = (1..<4).map { number in loop.spawn { _ in await failure { try await channel.send(number) } } }
                await pause(loop)
                var received = [await channel.tryReceive()]
                channel.finish()
                received.append(try await channel.receive())
                received.append(try await channel.receive())
                return ([await fibers[0].value, await fibers[1].value, await fibers[2].value], received)
            }
            #expect(errors == [nil, .closed, .closed])
            #expect(received == [0, 1, nil])
        }
    }

    @Test("Closed: what was sent is dropped, and everybody is told, those that wait and those that come") func close() throws {
        try Bench.run { bench in
            let gone = Tally()
            let errors = try bench.loop.run { loop in
                let (full, empty) = (Channel<Witness>(on: loop, capacity: 1), Channel<Int>(on: loop, capacity: 1))
                try await full.send(Witness(gone))
                let sender = loop.spawn { _ in await failure { try await full.send(Witness(gone)) } }
                let receiver = loop.spawn { _ in await failure { try await empty.receive() } }
                await pause(loop)
                full.close()
                full.close()
                empty.close()
                let errors = [await sender.value, await receiver.value]
                #expect(gone.value == 2)
                #expect(full.trySend(Witness(gone)) == .closed)
                return errors + [
                    await failure { try await full.send(Witness(gone)) }, await failure { try await full.receive() },
                    await failure { for try await _ in empty {} },
                ]
            }
            #expect(errors == Array(repeating: .closed, count: 5))
        }
    }

    @Test("Closed while an element is on its way to a receiver, and while room is to a sender: both are told") func closeBetween() throws {
        try Bench.run { bench in
            let errors = try bench.loop.run { loop in
                let (one, other) = (Channel<Int>(on: loop, capacity: 1), Channel<Int>(on: loop, capacity: 1))
                let receiver = loop.spawn { _ in await failure { try await one.receive() } }
                try await other.send(1)
                let sender = loop.spawn { _ in await failure { try await other.send(2) } }
                await pause(loop)
                #expect(one.trySend(3) == .sent)
                one.close()
                #expect(await other.tryReceive() == 1)
                other.close()
                let errors = [await receiver.value, await sender.value]
                #expect([await one.count, await other.count] == [0, 0])
                return errors
            }
            #expect(errors == [.closed, .closed])
        }
    }

    @Test("Closed after it was finished: what is left is dropped") func closeFinished() throws {
        try Bench.run { bench in
            let error = try bench.loop.run { loop in
                let channel = Channel<Int>(on: loop, capacity: 1)
                try await channel.send(1)
                channel.finish()
                channel.close()
                return await failure { try await channel.receive() }
            }
            #expect(error == .closed)
        }
    }

    @Test("Who waits when the loop ends is told that it is closed; who comes afterwards, too") func shutdown() throws {
        let bench = try Bench(Limits())
        let journal = Journal()
        let (full, empty) = (Channel<Int>(on: bench.loop, capacity: 1), Channel<Int>(on: bench.loop, capacity: 1))
        #expect(full.trySend(1) == .sent)
        // Not fibers: the loop's end does not cancel them.
        Task(executorPreference: bench.loop) { if await failure({ try await full.send(2) }) == .closed { journal.add("sender") } }
        Task(executorPreference: bench.loop) { if await failure({ try await empty.receive() }) == .closed { journal.add("receiver") } }
        bench.settle()
        bench.loop.shutdown()
        #expect(journal.lines.sorted() == ["receiver", "sender"])
        #expect(empty.trySend(1) == .closed)
        RealThread.elsewhere {
            (try? Bench(Limits()))?.loop.run { _ in
                if await failure({ try await empty.send(1) }) == .closed { journal.add("late sender") }
                if await failure({ try await empty.receive() }) == .closed { journal.add("late receiver") }
            }
        }
        #expect(journal.count("late sender") == 1 && journal.count("late receiver") == 1)
    }
}
