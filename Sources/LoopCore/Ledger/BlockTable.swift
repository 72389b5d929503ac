/// Entries by slot, in blocks that never move: an entry keeps its address for the table's life.
@safe struct BlockTable<Entry>: ~Copyable {
    private typealias Block = UnsafeMutablePointer<Entry>

    private var blocks: UnsafeMutablePointer<Block>
    private var blocksMax = 16
    private(set) var count = 0

    /// A power of two. 64 entries are some kilobytes: few allocations, and little memory for a loop with one handle.
    private static var entriesPerBlock: Int { 64 }

    // SAFETY: places below `count` are initialised, and the blocks they are in; every subscript is checked against it.
    init() { unsafe blocks = .allocate(capacity: 16) }

    // SAFETY: as above.
    deinit {
        for start in stride(from: 0, to: count, by: Self.entriesPerBlock) {
            let block = unsafe blocks[start / Self.entriesPerBlock]
            unsafe block.deinitialize(count: min(count - start, Self.entriesPerBlock))
            unsafe block.deallocate()
        }
        unsafe blocks.deallocate()
    }

    @inline(__always)
    func contains(_ slot: UInt32) -> Bool { slot < UInt32(truncatingIfNeeded: count) }

    /// The entry in a slot, in place.
    // SAFETY: the slot is checked against the initialised places.
    @inline(__always)
    subscript(slot: UInt32) -> UnsafeMutablePointer<Entry> {
        guard contains(slot) else { Self.trapUnknown(slot) }
        let (block, place) = Int(slot).quotientAndRemainder(dividingBy: Self.entriesPerBlock)
        return unsafe blocks[block] + place
    }

    @inline(never)
    private static func trapUnknown(_ slot: UInt32) -> Never { trap("Slot \(slot) has never been opened. This is a bug of Portloop.") }

    // SAFETY: the new place is initialised before `count` covers it.
    mutating func append(_ entry: consuming Entry) {
        let (block, place) = count.quotientAndRemainder(dividingBy: Self.entriesPerBlock)
        if place == 0 { addBlock(block) }
        unsafe (blocks[block] + place).initialize(to: entry)
        count += 1
    }

    // SAFETY: the addresses of the blocks are moved; the blocks stay where they are.
    private mutating func addBlock(_ number: Int) {
        if number == blocksMax {
            let larger = UnsafeMutablePointer<Block>.allocate(capacity: blocksMax * 2)
            unsafe larger.moveInitialize(from: blocks, count: number)
            unsafe blocks.deallocate()
            unsafe blocks = larger
            blocksMax *= 2
        }
        unsafe (blocks + number).initialize(to: .allocate(capacity: Self.entriesPerBlock))
    }
}
