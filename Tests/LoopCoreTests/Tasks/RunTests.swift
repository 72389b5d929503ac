import Testing

@testable import LoopCore

@Suite("Running a function on a loop") struct RunTests {
    @Test("It returns what the function returned") func value() throws {
        try Bench.run { bench in
            #expect(bench.loop.run { _ in 42 } == 42)
        }
    }
}
