import Testing

@testable import LoopCore

@Suite("Tasks that are fetched ahead") struct FetchTests {
    @Test("Of many fibers each one's task is fetched while the one before it runs") func many() throws {
        let (fetched, went) = try wake(Limits.fibersInCacheMax)
        #expect(went.count == Limits.fibersInCacheMax)
        #expect(fetched == Array(went.dropFirst()))
    }

    @Test("Few fibers' tasks are in the cache, and nothing is fetched") func few() throws {
        let (fetched, went) = try wake(Limits.fibersInCacheMax - 1)
        #expect(went.count == Limits.fibersInCacheMax - 1)
        #expect(fetched.isEmpty)
    }

    /// What is fetched when so many fibers go on at once, beside the one that wakes them, and which went on, in their order.
    private func wake(_ count: Int) throws -> (fetched: [String], went: [String]) {
        let bench = try Bench(Limits())
        let journal = bench.port.journal
        try bench.loop.run { loop in
            let (gate, port) = (Gate(on: loop), try loop.mock)
            for _ in 0..<count {
                loop.spawn { _ async in
                    try? await gate.wait()
                    journal.add("task \(TaskIdentity.current?.address ?? 0)")
                }
            }
            await pause(loop)
            port.fetched.removeAll()
            gate.open()
            await pause(loop)
        }
        let went = journal.lines.filter { $0.hasPrefix("task ") }
        let fetched = bench.port.fetched.map { "task \($0)" }
        try bench.clear()
        return (fetched, went)
    }
}
