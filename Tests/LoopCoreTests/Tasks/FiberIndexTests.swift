import Testing

@testable import LoopCore

@Suite("What a fiber waits for") struct FiberIndexTests {
    @Test("An index answers as a dictionary does, over growth, collisions and removals", arguments: [1, 2, 3] as [UInt64])
    func model(seed: UInt64) {
        var index = FiberIndex()
        var model: [UInt: FiberWait] = [:]
        var state = seed
        for step in 0..<4_000 {
            // Knuth's generator for MMIX; few addresses, so that they come again and stand side by side.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let task = (UInt(truncatingIfNeeded: state >> 33) % 600 + 1) * 16
            switch (model[task], step % 3) {
            case (nil, 0), (nil, 1):
                index.insert(task)
                model[task] = FiberWait.none
            case (nil, _), (_, 0):
                index.remove(task)
                model[task] = nil
            default:
                let wait = FiberWait(generation: state, index: UInt32(step), kind: .parked)
                let wasNoted = index.note(task, wait)
                #expect(wasNoted)
                model[task] = wait
            }
            #expect(index.wait(of: task) == model[task])
        }
        for task in stride(from: UInt(16), through: 9_600, by: 16) { #expect(index.wait(of: task) == model[task]) }
    }

    @Test("No task is in it by the address zero") func zero() {
        var index = FiberIndex()
        #expect(index.wait(of: 0) == nil)
        let wasNoted = index.note(0, .none)
        #expect(!wasNoted)
    }
}
