import Testing

@testable import LoopCore

@Suite("The dump") struct DumpTests {
    @Test("An idle loop has a line that says so") func empty() throws {
        try Bench.run { bench in #expect(bench.ops.dump().description == "0 operations in flight on 0 handles, 0 fibers") }
    }

    @Test("It names handle, tag, state, age, bytes and the line that prepared the operation") func text() throws {
        try Bench.run { bench in
            let handle = try bench.associate(5)
            bench.port.driver = .stuck
            let id = try bench.read(handle, capacity: 64, tag: 7)
            bench.advance(nanoseconds: 3_999_999)
            let line = bench.ops.dump().operations[0].line
            #expect(
                bench.ops.dump().description == """
                    1 operations in flight on 1 handles, 0 fibers
                      handle 5: 1 operations, 64 bytes
                      handle 5 tag 7 submitted for 3 ms, 64 bytes, prepared at LoopCoreTests/Bench.swift:\(line)
                    """)
            _ = try bench.ops.cancel(id)
            #expect(bench.ops.dump().operations[0].description.contains("submitted, asked to end for 3 ms"))
            bench.port.finish(try bench.request, MockPort.aborted)
            bench.settle()
            #expect(bench.ops.dump().operations[0].description.contains("tag 7 completed for"))
            try bench.ops.free(id)
            #expect(bench.ops.dump().operations.isEmpty)
        }
    }

    @Test("A retiring handle and its orphans are named") func retiring() throws {
        try Bench.run { bench in
            bench.port.driver = .stuck
            let handle = try bench.associate(5)
            _ = try bench.read(handle, capacity: 8)
            try bench.ops.retire(handle)
            #expect(bench.ops.dump().handles.map(\.description) == ["handle 5: 1 operations, 8 bytes, retiring"])
            bench.turnPast(Limits().cancelGraceNanoseconds)
            #expect(bench.ops.dump().handles.map(\.description) == ["handle 5: 1 operations, 8 bytes, 1 orphaned, retiring"])
            #expect(bench.ops.dump().operations[0].phase == .orphaned)
            bench.port.finish(try bench.request, MockPort.aborted)
            bench.settle()
            #expect(bench.ops.dump().handles.isEmpty)
        }
    }

    @Test("An operation's age begins when it is prepared, however long ago the loop was turned") func age() throws {
        try Bench.run { bench in
            let handle = try bench.associate()
            bench.loop.turn(.poll)
            bench.advance(nanoseconds: 5_000_000_000)
            let id = try bench.prepare(handle)
            #expect(bench.ops.dump().operations.map(\.ageNanoseconds) == [0])
            // SAFETY: no native call was made.
            unsafe try bench.ops.abandon(id)
        }
    }

    @Test("Fibers are named with their age and the line that spawned them, from the spawn to their last step") func fibers() throws {
        try Bench.run { bench in
            let (before, after): (String, Int) = bench.loop.run { loop async in
                let fiber = loop.spawn(name: "ticker", file: "Clock/Ticker.swift", line: 7) { loop async in
                    _ = try? await loop.sleep(for: .milliseconds(5))
                }
                try? await loop.sleep(for: .milliseconds(3))
                let before = loop.dump().description
                await fiber.value
                return (before, loop.dump().fibers.count)
            }
            #expect(before.hasPrefix("0 operations in flight on 0 handles, 2 fibers\n"))
            #expect(before.contains("\n  fiber ticker for 3 ms, spawned at Clock/Ticker.swift:7"))
            #expect(after == 1)
        }
    }
}
