import Testing

@testable import LoopCore

@Suite("Which fiber a task is") struct FiberIndexTests {
    @Test("An index answers as a dictionary does, over growth, collisions and removals", arguments: [1, 2, 3] as [UInt64])
    func model(seed: UInt64) {
        var index = FiberIndex()
        var model: [UInt: UInt32] = [:]
        var state = seed
        for step in 0..<4_000 {
            // Knuth's generator for MMIX; few addresses, so that they come again and stand side by side.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let task = (UInt(truncatingIfNeeded: state >> 33) % 600 + 1) * 16
            if model[task] == nil, step % 3 != 2 {
                index.insert(task, UInt32(step))
                model[task] = UInt32(step)
            } else {
                index.remove(task)
                model[task] = nil
            }
            #expect(index[task] == model[task])
        }
        for task in stride(from: UInt(16), through: 9_600, by: 16) { #expect(index[task] == model[task]) }
    }

    @Test("No task is in it by the address zero") func zero() {
        let index = FiberIndex()
        #expect(index[0] == nil)
    }
}
