import Testing

@testable import LoopCore

@Suite("Fibers in task groups") struct GroupTests {
    private struct Refused: Error {}

    @Test("Each kind of group has them: on the loop, with their names, isolated to it") func kinds() throws {
        try Bench.run { bench in
            let (here, right) = (RealThread.current, Tally())
            let sums = try bench.loop.run { loop in
                let check: @Sendable (isolated EventLoop, String) -> Void = { _, name in
                    if RealThread.current == here, Task.name == name { right.add() }
                }
                let plain = await withTaskGroup(of: Int.self) { group in
                    for number in 1...3 {
                        group.addFiber(on: loop, name: "plain") { loop in
                            check(loop, "plain")
                            await Task.yield()
                            check(loop, "plain")
                            return number
                        }
                    }
                    var sum = 0
                    for await number in group { sum += number }
                    return sum
                }
                let throwing = try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 1...3 {
                        group.addFiber(on: loop, name: "throwing", priority: .high) { loop in
                            check(loop, "throwing")
                            try await loop.sleep(for: .milliseconds(number))
                            return number
                        }
                    }
                    var sum = 0
                    for try await number in group { sum += number }
                    return sum
                }
                await withDiscardingTaskGroup { group in
                    for _ in 1...3 { group.addFiber(on: loop, name: "discarding") { loop in check(loop, "discarding") } }
                }
                try await withThrowingDiscardingTaskGroup { group in
                    for _ in 1...3 { group.addFiber(on: loop, name: "both") { loop in check(loop, "both") } }
                }
                return [plain, throwing]
            }
            #expect(sums == [6, 6])
            #expect(right.value == 15)
        }
    }

    @Test("What one throws is the group's, which cancels the others; nothing is reported") func failure() throws {
        try Bench.run { bench in
            let cancelled = Tally()
            _ = bench.loop.run { loop in
                await #expect(throws: Refused.self) {
                    try await withThrowingDiscardingTaskGroup { group in
                        group.addFiber(on: loop) { loop in
                            do { try await loop.sleep(for: .seconds(1)) } catch WaitError.cancelled { cancelled.add() }
                        }
                        group.addFiber(on: loop) { _ in throw Refused() }
                    }
                }
            }
            #expect(cancelled.value == 1)
            #expect(bench.ops.core.fibers.failures == 0)
        }
    }

    @Test("The loop's dump names them while they last, and a run waits for those of a group elsewhere") func dump() async throws {
        let (names, ended) = try await Bench.runBesides { bench in
            let (ended, gate) = (Tally(), Gate(on: bench.loop))
            let names = bench.loop.run { loop in
                let begun = Gate(on: loop)
                Task.detached {
                    await withDiscardingTaskGroup { group in
                        group.addFiber(on: loop, name: "child") { loop in
                            begun.open()
                            #expect(await LoopCoreTests.failure { try await gate.wait() } == nil)
                            ended.add()
                        }
                    }
                }
                #expect(await LoopCoreTests.failure { try await begun.wait() } == nil)
                let names = loop.dump().fibers.map(\.name)
                gate.open()
                return names
            }
            return (names, ended.value)
        }
        #expect(names.contains("child"))
        #expect(ended == 1)
    }
}
