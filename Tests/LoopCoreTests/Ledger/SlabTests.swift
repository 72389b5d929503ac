import Testing

@testable import LoopCore

@Suite("The slab") struct SlabTests {
    @Test("Free cells of a class are reused in the order in which they were given back") func firstInFirstOut() {
        let slab = Slab(idleBytesMax: 0)
        let cells = (0..<4).map { _ in slab.take(bytes: 100) }
        for place in [2, 0, 3, 1] { slab.giveBack(cells[place]) }
        for place in [2, 0, 3, 1] { #expect(slab.take(bytes: 100).record.index == cells[place].record.index) }
        for cell in cells { slab.giveBack(cell) }
    }

    @Test("A cell keeps its address while a thousand others come and go") func stableAddresses() {
        let slab = Slab(idleBytesMax: 0)
        let kept = (0..<10).map { _ in slab.take(bytes: 64) }
        let addresses = kept.map { address(of: $0) }
        var others = (0..<1_000).map { _ in slab.take(bytes: 64) }
        for cell in others { slab.giveBack(cell) }
        others = (0..<1_000).map { _ in slab.take(bytes: 64) }
        #expect(kept.map { address(of: $0) } == addresses)
        #expect(kept.map { slab.find($0.record.index, generation: $0.record.generation) } == kept)
        for cell in kept + others { slab.giveBack(cell) }
    }

    @Test("A cell of one class never serves another") func classesApart() {
        let slab = Slab(idleBytesMax: 0)
        let small = slab.take(bytes: 10)
        slab.giveBack(small)
        let large = slab.take(bytes: 1_000)
        #expect(large.record.index != small.record.index)
        slab.giveBack(large)
    }

    @Test("It finds a cell by its index and generation, and by its address") func find() throws {
        let slab = Slab(idleBytesMax: 0)
        let cell = slab.take(bytes: 0)
        let generation = cell.record.generation
        #expect(slab.find(cell.record.index, generation: generation).map { address(of: $0) } == address(of: cell))
        #expect(slab.find(cell.record.index, generation: generation + 1) == nil)
        #expect(slab.find(CellIndex(rawValue: 1), generation: generation) == nil)
        #expect(slab.find(.none, generation: generation) == nil)
        #expect(find(slab, address(of: cell)) == cell.record.index)
        #expect(find(slab, address(of: cell) + 8) == nil)
        slab.giveBack(cell)
        #expect(slab.find(cell.record.index, generation: generation) == nil)
        #expect(find(slab, address(of: cell)) == cell.record.index)
    }

    @Test("Large free cells are kept up to the limit on idle bytes, and beyond it given back to the system") func idleBytes() {
        let slab = Slab(idleBytesMax: 2 * (64 << 10))
        let cells = (0..<3).map { _ in slab.take(bytes: 64 << 10) }
        for cell in cells[0...1] { slab.giveBack(cell) }
        #expect(slab.idleBytes == 2 * (64 << 10))
        let disposed = (address(of: cells[2]), cells[2].record.index)
        slab.giveBack(cells[2])
        #expect(slab.idleBytes == 2 * (64 << 10))
        #expect(find(slab, disposed.0) == nil)
        #expect(slab.find(disposed.1, generation: 2) == nil)
        slab.giveBack(slab.take(bytes: 64 << 10))
        #expect(slab.idleBytes == 2 * (64 << 10))
    }

    @Test("Small free cells count as no idle bytes") func smallCellsStay() {
        let slab = Slab(idleBytesMax: 0)
        let cell = slab.take(bytes: (64 << 10) - 1)
        #expect(cell.record.sizeClass == SizeClass(holding: 64 << 10))
        let small = slab.take(bytes: 16 << 10)
        slab.giveBack(small)
        #expect(slab.idleBytes == 0)
        #expect(find(slab, address(of: small)) == small.record.index)
        slab.giveBack(cell)
    }

    @Test("The usual limit keeps one cell of the largest class, as its comment says") func largestIsKept() {
        let slab = Slab(idleBytesMax: Limits().idleBytesMax)
        let cell = slab.take(bytes: Limits.capacityMax)
        let before = address(of: cell)
        slab.giveBack(cell)
        #expect(slab.idleBytes > 0)
        #expect(find(slab, before) != nil)
    }

    @Test("An index that goes to another cell keeps its generations rising") func generations() {
        let slab = Slab(idleBytesMax: 0)
        var last: UInt64 = 0
        for bytes in [64 << 10, 64 << 10, 256 << 10, 64 << 10] {
            let cell = slab.take(bytes: bytes)
            #expect(cell.record.index == CellIndex(rawValue: 0))
            #expect(cell.record.generation > last)
            last = cell.record.generation
            slab.giveBack(cell)
            #expect(slab.find(CellIndex(rawValue: 0), generation: last) == nil)
        }
        let small = slab.take(bytes: 1)
        #expect(small.record.generation > last)
        slab.giveBack(small)
    }

    @Test("It takes and gives back at random without mixing up two cells") func random() {
        var random = SeededRandom(seed: 3)
        let slab = Slab(idleBytesMax: 1 << 20)
        var taken: [Cell] = []
        for _ in 0..<5_000 {
            if taken.isEmpty || Bool.random(using: &random) {
                taken.append(slab.take(bytes: [0, 64, 4_096, 70_000, 300_000].randomElement(using: &random) ?? 0))
            } else {
                slab.giveBack(taken.remove(at: Int.random(in: 0..<taken.count, using: &random)))
            }
            #expect(slab.idleBytes <= 1 << 20)
        }
        #expect(Set(taken.map { address(of: $0) }).count == taken.count)
        for cell in taken {
            #expect(slab.isListed(cell))
            slab.giveBack(cell)
        }
    }

    // SAFETY: a number to compare with.
    private func address(of cell: Cell) -> UInt { UInt(bitPattern: unsafe cell.block) }

    // SAFETY: the slab compares the pointer and does not follow it.
    private func find(_ slab: Slab, _ address: UInt) -> CellIndex? {
        guard let block = unsafe UnsafeMutableRawPointer(bitPattern: address) else { return nil }
        return unsafe slab.find(block: block)?.record.index
    }
}
