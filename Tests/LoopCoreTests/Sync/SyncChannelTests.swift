import Testing

@testable import LoopCore

@Suite("Channels") struct SyncChannelTests {
    @Test("What is sent is received, in order, and a sender waits while it is full", arguments: [1, 2, 5, 100])
    func order(capacity: Int) throws {
        try Bench.run { bench in
            let (most, sent) = (Journal(), Tally())
            let received = try bench.loop.run { loop in
                let channel = Channel<Int>(on: loop, capacity: capacity)
                loop.spawn { _ in
                    for number in 0..<50 {
                        try await channel.send(number)
                        sent.add()
                    }
                    channel.finish()
                }
                var received: [Int] = []
                while let number = try await channel.receive() {
                    received.append(number)
                    most.add("\(sent.value - received.count)")
                    await Task.yield()
                }
                return received
            }
            #expect(received == Array(0..<50))
            #expect(most.lines.compactMap { Int($0) }.allSatisfy { $0 <= capacity })
        }
    }

    @Test("It holds its capacity and no more") func bound() throws {
        try Bench.run { bench in
            try bench.loop.run { loop in
                let channel = Channel<String>(on: loop, capacity: 2)
                #expect([channel.trySend("a"), channel.trySend("b"), channel.trySend("c")] == [.sent, .sent, .full])
                #expect(await channel.count == 2)
                #expect(await failure { try await channel.send("d", timeout: .milliseconds(1)) } == .timedOut)
                #expect(await channel.tryReceive() == "a")
                try await channel.send("e")
                #expect([await channel.tryReceive(), await channel.tryReceive(), await channel.tryReceive()] == ["b", "e", nil])
            }
        }
    }

    @Test("Senders get room in the order in which they asked, and nobody overtakes them") func senders() throws {
        try Bench.run { bench in
            let received = try bench.loop.run { loop in
                let channel = Channel<Int>(on: loop, capacity: 1)
                try await channel.send(0)
                for number in 1..<4 { loop.spawn { _ in try await channel.send(number) } }
                await pause(loop)
                var received: [Int?] = [await channel.tryReceive()]
                // The room is the first sender's, who has not come to run yet.
                #expect(channel.trySend(9) == .full)
                for _ in 1..<4 { received.append(try await channel.receive()) }
                return received
            }
            #expect(received == [0, 1, 2, 3])
        }
    }

    @Test("Receivers get elements in the order in which they asked, and who comes later does not take what is on its way to them")
    func receivers() throws {
        try Bench.run { bench in
            let journal = Journal()
            bench.loop.run { loop in
                let channel = Channel<Int>(on: loop, capacity: 4)
                for number in 0..<3 {
                    loop.spawn { _ in
                        if let element = try await channel.receive() { journal.add("\(number) got \(element)") }
                    }
                }
                await pause(loop)
                for element in 10..<13 { #expect(channel.trySend(element) == .sent) }
                #expect(await channel.tryReceive() == nil)
            }
            #expect(journal.lines == ["0 got 10", "1 got 11", "2 got 12"])
        }
    }

    @Test("A receiver waits as long as it was told to, and loses nothing by it") func receiveTimeout() throws {
        try Bench.run { bench in
            bench.loop.run { loop in
                let channel = Channel<Int>(on: loop, capacity: 1)
                #expect(await failure { try await channel.receive(timeout: .milliseconds(5)) } == .timedOut)
                #expect(channel.trySend(1) == .sent)
                #expect(await outcome { try await channel.receive(timeout: .zero) } == .success(1))
            }
        }
    }

    @Test("A cancelled receiver leaves the element to the next; one that it was handed to before returns it", arguments: [true, false])
    func cancelReceiver(isFirst: Bool) throws {
        try Bench.run { bench in
            let got = bench.loop.run { loop in
                let channel = Channel<Int>(on: loop, capacity: 1)
                let fibers = (0..<2).map { _ in loop.spawn { _ in await outcome { try await channel.receive() } } }
                await pause(loop)
                if isFirst {
                    fibers[0].cancel()
                    await pause(loop)
                }
                #expect(channel.trySend(7) == .sent)
                fibers[0].cancel()
                await pause(loop)
                channel.finish()
                return [await fibers[0].value, await fibers[1].value]
            }
            #expect(got == (isFirst ? [.failure(.cancelled), .success(7)] : [.success(7), .success(nil)]))
        }
    }

    @Test("A cancelled sender leaves the room to the next; one that it was handed to before has sent", arguments: [true, false])
    func cancelSender(isFirst: Bool) throws {
        try Bench.run { bench in
            let (error, received) = try bench.loop.run { loop in
                let channel = Channel<Int>(on: loop, capacity: 1)
                try await channel.send(0)
                let first = loop.spawn { _ in await failure { try await channel.send(1) } }
                loop.spawn { _ in try await channel.send(2) }
                await pause(loop)
                if isFirst {
                    first.cancel()
                    await pause(loop)
                }
                var received = [try await channel.receive()]
                first.cancel()
                received.append(try await channel.receive())
                if !isFirst { received.append(try await channel.receive()) }
                return (await first.value, received)
            }
            #expect(error == (isFirst ? .cancelled : nil))
            #expect(received == (isFirst ? [0, 2] : [0, 1, 2]))
        }
    }

    @Test("A task that is cancelled already neither sends nor receives") func cancelledOnEntry() throws {
        try Bench.run { bench in
            bench.loop.run { loop in
                let channel = Channel<Int>(on: loop, capacity: 2)
                #expect(channel.trySend(1) == .sent)
                let sender = loop.spawn { _ in await failure { try await channel.send(2) } }
                let receiver = loop.spawn { _ in await failure { try await channel.receive() } }
                sender.cancel()
                receiver.cancel()
                #expect([await sender.value, await receiver.value] == [.cancelled, .cancelled])
                #expect(await channel.count == 1)
            }
        }
    }

    @Test("It can be iterated over, by many at once, each element once") func iteration() throws {
        try Bench.run { bench in
            let (sum, ends) = (Tally(), Tally())
            try bench.loop.run { loop in
                let channel = Channel<Int>(on: loop, capacity: 3)
                for _ in 0..<3 {
                    loop.spawn { _ in
                        for try await element in channel { sum.add(element) }
                        ends.add()
                    }
                }
                for element in 1...100 { try await channel.send(element) }
                channel.finish()
            }
            #expect(sum.value == 5_050 && ends.value == 3)
        }
    }

    @Test("A timeout around a wait is named after it") func scope() throws {
        try Bench.run { bench in
            let error = bench.loop.run { loop in
                let channel = Channel<Int>(on: loop, capacity: 1)
                return await #expect(throws: TimeoutError.self) {
                    try await loop.timeout(.milliseconds(5)) { for try await _ in channel {} }
                }
            }
            #expect(error?.waitedFor == .channel)
        }
    }
}
