import Testing

@testable import LoopCore

@Suite("Waiting for a fiber's end") struct JoinTests {
    @Test("It ends with the fiber, for all who wait, and brings what the fiber returned") func end() throws {
        try Bench.run { bench in
            let journal = Journal()
            bench.loop.run { loop in
                let fiber = loop.spawn { loop in
                    await pause(loop)
                    journal.add("end")
                    return 7
                }
                for number in 0..<3 { loop.spawn { _ in journal.add("\(number): \(try await fiber.join())") } }
            }
            #expect(journal.lines == ["end"] + (0..<3).map { "\($0): success(7)" })
            #expect(bench.ops.core.joiners.isEmpty)
        }
    }

    @Test("A fiber that has ended is joined at once") func ended() throws {
        try Bench.run { bench in
            let got = try bench.loop.run { loop in
                let fiber = loop.spawn { _ in 7 }
                _ = await fiber.value
                return [try await fiber.join(), try await fiber.join(timeout: .milliseconds(1))]
            }
            #expect(got == [.success(7), .success(7)])
        }
    }

    @Test("What the fiber threw is returned, not thrown") func thrown() throws {
        try Bench.run { bench in
            let got = try bench.loop.run { loop in
                let fiber = loop.spawn { loop async throws(WaitError) in try await loop.sleep(for: .seconds(1)) }
                await pause(loop)
                fiber.cancel()
                return try await fiber.join()
            }
            guard case .failure(.cancelled) = got else {
                Issue.record("it was \(got)")
                return
            }
        }
    }

    @Test("It ends with its timeout; the fiber goes on, and can be joined again") func timeout() throws {
        try Bench.run { bench in
            let (errors, value) = try bench.loop.run { loop in
                let fiber = loop.spawn { loop in
                    try await loop.sleep(for: .milliseconds(50))
                    return 7
                }
                var errors: [WaitError?] = []
                for _ in 0..<3 { errors.append(await failure { try await fiber.join(timeout: .milliseconds(5)) }) }
                return (errors, try await fiber.join().get())
            }
            #expect(errors == [.timedOut, .timedOut, .timedOut])
            #expect(value == 7)
            #expect(bench.ops.core.joiners.isEmpty)
        }
    }

    @Test("It ends when the task that waits is cancelled; the fiber goes on") func cancel() throws {
        try Bench.run { bench in
            let ended = Tally()
            let error = bench.loop.run { loop in
                let fiber = loop.spawn { loop in
                    try await loop.sleep(for: .milliseconds(50))
                    ended.add()
                }
                let waiting = loop.spawn { _ in await failure { try await fiber.join() } }
                await pause(loop)
                waiting.cancel()
                return await waiting.value
            }
            #expect(error == .cancelled)
            #expect(ended.value == 1)
        }
    }

    @Test("It counts for a timeout around it, which names it") func scope() throws {
        try Bench.run { bench in
            let error = bench.loop.run { loop in
                let fiber = loop.spawn { loop in try await loop.sleep(for: .milliseconds(50)) }
                return await #expect(throws: TimeoutError.self) {
                    try await loop.timeout(.milliseconds(5)) { _ = try await fiber.join() }
                }
            }
            #expect(error?.waitedFor == .fiber)
        }
    }

    @Test("It may be waited for from another thread") func elsewhere() throws {
        try Bench.run { bench in
            let values = Tally()
            bench.loop.run { loop in
                let fiber = loop.spawn { loop in
                    await pause(loop)
                    return 7
                }
                let over = Gate(on: loop)
                RealThread {
                    (try? Bench(Limits()))?.loop.run { _ in if case .success(let value) = try? await fiber.join() { values.add(value) } }
                    over.open()
                }.detach()
                #expect(await failure { try await over.wait() } == nil)
            }
            #expect(values.value == 7)
        }
    }
}
