import Testing

@testable import LoopCore

@Suite("Gates") struct SyncGateTests {
    @Test("Who comes to a closed gate waits until it opens, who comes to an open one does not") func opening() throws {
        try Bench.run { bench in
            let journal = Journal()
            try bench.loop.run { loop in
                let gate = Gate(on: loop)
                for number in 0..<3 {
                    loop.spawn { _ in
                        try await gate.wait()
                        journal.add("\(number)")
                    }
                }
                await pause(loop)
                #expect(journal.lines.isEmpty)
                gate.open()
                try await gate.wait(timeout: .zero)
                #expect(await gate.position == .open)
            }
            #expect(journal.lines == ["0", "1", "2"])
        }
    }

    @Test("Who waited goes through although it is closed again at once; who comes then waits") func reclosing() throws {
        try Bench.run { bench in
            let errors = bench.loop.run { loop in
                let gate = Gate(on: loop)
                let early = loop.spawn { _ in await failure { try await gate.wait() } }
                await pause(loop)
                gate.open()
                gate.close()
                let late = loop.spawn { _ in await failure { try await gate.wait(timeout: .milliseconds(1)) } }
                return [await early.value, await late.value]
            }
            #expect(errors == [nil, .timedOut])
        }
    }

    @Test("A wait ends when its task is cancelled, at an open gate too if it was cancelled before") func cancel() throws {
        try Bench.run { bench in
            let errors = bench.loop.run { loop in
                let (closed, open) = (Gate(on: loop), Gate(on: loop, .open))
                let waiting = loop.spawn { _ in await failure { try await closed.wait() } }
                await pause(loop)
                waiting.cancel()
                let late = loop.spawn { _ in await failure { try await open.wait() } }
                late.cancel()
                return [await waiting.value, await late.value]
            }
            #expect(errors == [.cancelled, .cancelled])
        }
    }

    @Test("Any thread may open and close it", arguments: 0..<10) func threads(round: Int) throws {
        try Bench.run { bench in
            let error = bench.loop.run { loop in
                let gate = Gate(on: loop)
                RealThread {
                    gate.open()
                    gate.close()
                }.detach()
                return await failure { try await gate.wait(timeout: .seconds(30)) }
            }
            // Both may have come before the wait began.
            #expect(error == nil || error == .timedOut)
        }
    }

    @Test("Who waits when the loop ends is told that it is closed") func shutdown() throws {
        let bench = try Bench(Limits())
        let journal = Journal()
        let gate = Gate(on: bench.loop)
        Task(executorPreference: bench.loop) { if await failure({ try await gate.wait() }) == .closed { journal.add("closed") } }
        bench.settle()
        bench.loop.shutdown()
        #expect(journal.lines == ["closed"])
    }
}
