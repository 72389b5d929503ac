import Testing

@testable import LoopCore

@Suite("Channels between threads") struct SyncChannelThreadTests {
    /// Offers an element until it is taken; a thread has nobody to wait for it.
    private static func insist(_ channel: Channel<Int>, _ element: Int) {
        while channel.trySend(element) == .full { RealThread.giveWay() }
    }

    @Test("Threads without tasks send; what each of them sent comes in its order, and all of it before the end", arguments: 1...5)
    func plainThreads(capacity: Int) throws {
        try Bench.run { bench in
            let received = try bench.loop.run { loop in
                let (channel, left) = (Channel<Int>(on: loop, capacity: capacity), Tally())
                for thread in 0..<3 {
                    RealThread {
                        left.add()
                        for number in 0..<200 { Self.insist(channel, thread * 1_000 + number) }
                    }.detach()
                }
                var received: [Int] = []
                while received.count < 600, let element = try await channel.receive() { received.append(element) }
                channel.finish()
                #expect(await outcome { try await channel.receive() } == .success(nil))
                return received
            }
            for thread in 0..<3 { #expect(received.filter { $0 / 1_000 == thread } == (0..<200).map { thread * 1_000 + $0 }) }
        }
    }

    @Test("What a thread sent before it finished the channel is received, however late the loop looks", arguments: 0..<50)
    func finishElsewhere(round: Int) throws {
        try Bench.run { bench in
            let received = try bench.loop.run { loop in
                let channel = Channel<Int>(on: loop, capacity: 20)
                let sender = RealThread {
                    for number in 0..<20 { Self.insist(channel, number) }
                    channel.finish()
                    #expect(channel.trySend(20) == .closed)
                }
                var received: [Int] = []
                if round % 2 == 0 { sender.join() }
                while let element = try await channel.receive() { received.append(element) }
                if round % 2 == 1 { sender.join() }
                return received
            }
            #expect(received == Array(0..<20))
        }
    }

    @Test("A task of another loop sends and receives; the call hops by itself, and waits for room", arguments: [1, 8])
    func otherLoops(capacity: Int) throws {
        try Bench.run { bench in
            let received = try bench.loop.run { loop in
                let (requests, answers) = (Channel<Int>(on: loop, capacity: capacity), Channel<Int>(on: loop, capacity: capacity))
                let other = RealThread {
                    (try? Bench(Limits()))?.loop.run { _ in
                        while let number = try? await requests.receive() { try? await answers.send(number * 2) }
                        answers.finish()
                    }
                }
                loop.spawn { _ in
                    for number in 0..<100 { try await requests.send(number) }
                    requests.finish()
                }
                var received: [Int] = []
                for try await answer in answers { received.append(answer) }
                other.join()
                return received
            }
            #expect(received == (0..<100).map { $0 * 2 })
        }
    }

    @Test("A close by another thread ends every wait", arguments: 0..<20) func closeElsewhere(round: Int) throws {
        try Bench.run { bench in
            let errors = bench.loop.run { loop in
                let channel = Channel<Int>(on: loop, capacity: 1)
                let receivers = (0..<3).map { _ in loop.spawn { _ in await failure { try await channel.receive() } } }
                if round % 2 == 0 { await pause(loop) }
                RealThread { channel.close() }.detach()
                return [await receivers[0].value, await receivers[1].value, await receivers[2].value]
            }
            #expect(errors == [.closed, .closed, .closed])
        }
    }

    @Test("A cancel from another thread that races the element: it is received, or it is still there", arguments: 0..<100)
    func cancelElsewhere(round: Int) throws {
        try Bench.run { bench in
            let (got, left) = bench.loop.run { loop in
                let channel = Channel<Int>(on: loop, capacity: 1)
                let receiver = loop.spawn { _ in await outcome { try await channel.receive() } }
                await pause(loop)
                let canceller = RealThread { receiver.cancel() }
                let sender = RealThread { Self.insist(channel, 1) }
                let got = await receiver.value
                canceller.join()
                sender.join()
                await pause(loop)
                return (got, await channel.tryReceive())
            }
            #expect(got == .success(1) && left == nil || got == .failure(.cancelled) && left == 1)
        }
    }
}
