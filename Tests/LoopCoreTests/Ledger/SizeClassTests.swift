import Testing

@testable import LoopCore

@Suite("Size classes") struct SizeClassTests {
    /// 64, 256, 1 Ki … 16 Mi.
    private static let bounds = (0..<10).map { 64 << (2 * $0) }

    @Test("Nothing is held by a cell without room") func nothing() {
        #expect(SizeClass(holding: 0).rawValue == 0)
        #expect(SizeClass(holding: 0).bytes == 0)
    }

    @Test("One byte more than a class holds needs the next", arguments: bounds)
    func boundary(bound: Int) {
        let exact = SizeClass(holding: bound)
        #expect(SizeClass(holding: bound - 1) == exact)
        #expect(exact.bytes == (bound == Limits.capacityMax ? bound + Cell.addressBytes : bound))
        if bound < Limits.capacityMax { #expect(Int(SizeClass(holding: bound + 1).rawValue) == Int(exact.rawValue) + 1) }
    }

    @Test("The smallest class is one byte's, and the largest is the last") func ends() {
        #expect(SizeClass(holding: 1).rawValue == 1)
        #expect(Int(SizeClass(holding: Limits.capacityMax).rawValue) == SizeClass.count - 1)
        #expect(Set(SizeClassTests.bounds.map { SizeClass(holding: $0) }).count == SizeClass.count - 1)
    }

    @Test("The largest capacity fits with an address beside it") func largestWithAddress() {
        let bytes = Limits.capacityMax + Cell.addressBytes
        #expect(SizeClass(holding: bytes).bytes >= bytes)
    }

    @Test("Every class has room for what it was asked to hold, and at most four times as much") func room() {
        var random = SeededRandom(seed: 1)
        for _ in 0..<10_000 {
            let bytes = Int.random(in: 65...Limits.capacityMax, using: &random)
            let held = SizeClass(holding: bytes).bytes
            #expect(held >= bytes && held < bytes * 4 + Cell.addressBytes)
        }
    }
}
