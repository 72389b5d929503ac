/// Entries by slot, in blocks that never move: an entry keeps its address for the table's life.
///
/// Each begins on a cache line of its own, so that what is looked at most often, if it comes first, is one line and not two.
@safe struct BlockTable<Entry>: ~Copyable {
    private typealias Block = UnsafeMutableRawPointer

    private var blocks: UnsafeMutablePointer<Block>
    private var blocksMax = 16
    private(set) var count = 0

    /// A power of two. 64 entries are some kilobytes: few allocations, and little memory for a loop with one handle.
    private static var entriesPerBlock: Int { 64 }
    private static var entryBytes: Int { (MemoryLayout<Entry>.size + 63) & ~63 }

    // SAFETY: places below `count` are initialised, and the blocks they are in; every subscript is checked against it.
    init() { unsafe blocks = .allocate(capacity: 16) }

    // SAFETY: as above.
    deinit {
        for slot in 0..<count { unsafe self[UInt32(slot)].deinitialize(count: 1) }
        for block in 0..<(count + Self.entriesPerBlock - 1) / Self.entriesPerBlock { unsafe blocks[block].deallocate() }
        unsafe blocks.deallocate()
    }

    @inline(__always)
    func contains(_ slot: UInt32) -> Bool { slot < UInt32(truncatingIfNeeded: count) }

    /// The entry in a slot, in place.
    // SAFETY: the slot is checked against the initialised places.
    @inline(__always)
    subscript(slot: UInt32) -> UnsafeMutablePointer<Entry> {
        guard contains(slot) else { Self.trapUnknown(slot) }
        return unsafe place(of: Int(slot)).assumingMemoryBound(to: Entry.self)
    }

    // SAFETY: the caller knows that the slot's block is there.
    @inline(__always)
    private func place(of slot: Int) -> UnsafeMutableRawPointer {
        let (block, place) = slot.quotientAndRemainder(dividingBy: Self.entriesPerBlock)
        return unsafe blocks[block] + place * Self.entryBytes
    }

    @inline(never)
    private static func trapUnknown(_ slot: UInt32) -> Never { trap("Slot \(slot) has never been opened. This is a bug of Portloop.") }

    // SAFETY: the new place is initialised before `count` covers it.
    mutating func append(_ entry: consuming Entry) {
        if count % Self.entriesPerBlock == 0 { addBlock(count / Self.entriesPerBlock) }
        unsafe place(of: count).bindMemory(to: Entry.self, capacity: 1).initialize(to: entry)
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
        let bytes = Self.entriesPerBlock * Self.entryBytes
        unsafe (blocks + number).initialize(to: .allocate(byteCount: bytes, alignment: 64))
    }
}
