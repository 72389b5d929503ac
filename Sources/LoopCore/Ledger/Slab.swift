/// The cells of a ledger: where records live, which are free, and which address is whose.
///
/// A cell keeps its address, its index and its size class for life. Free cells of a class are reused first in, first out, so that a late
/// duplicate of a packet finds its old record free rather than busy again (clause C6).
@safe final class Slab {
    private struct FreeList {
        var first = CellIndex.none
        var last = CellIndex.none
        var count = 0
    }

    private var cells: UnsafeMutablePointer<Cell?>
    private var cellsCapacity: Int
    /// Indices handed out so far; ``vacant`` ones among them have no cell now.
    private(set) var indexCount = 0
    private var vacant: [CellIndex] = []
    private var free = InlineArray<11, FreeList>(repeating: FreeList())
    private let addresses = Pinned(AddressTable())
    private let idleBytesMax: Int
    /// Bytes of the free cells that ``idleBytesMax`` bounds.
    private(set) var idleBytes = 0

    /// From this class (64 KiB) on free cells count as idle bytes; smaller ones are kept for good.
    private static let largeClass = SizeClass(holding: 64 << 10)

    // SAFETY: `cells` has `cellsCapacity` initialised places; `indexCount` never exceeds it.
    init(idleBytesMax: Int) {
        self.idleBytesMax = idleBytesMax
        cellsCapacity = 64
        unsafe cells = .allocate(capacity: cellsCapacity)
        unsafe cells.initialize(repeating: nil, count: cellsCapacity)
    }

    /// Frees every cell but those that the kernel may still write to: they are left behind on purpose, and were counted.
    // SAFETY: a record that is not in flight owns nothing the kernel knows of (L5), and no id is used after its ledger.
    deinit {
        for index in 0..<indexCount {
            guard let cell = unsafe cells[index] else { continue }
            switch cell.record.state {
            case .free, .prepared, .completed: Slab.deallocate(cell)
            case .submitted, .orphaned, .taken: break  // The kernel's; a taken one keeps the ledger.
            }
        }
        unsafe cells.deallocate()
    }

    /// The record an id names, if it is still that operation.
    // SAFETY: the index is checked against `indexCount`; a vacant place holds nil.
    @inline(__always)
    func find(_ index: CellIndex, generation: UInt64) -> Cell? {
        guard index.rawValue < UInt32(truncatingIfNeeded: indexCount), let cell = unsafe cells[Int(index.rawValue)] else { return nil }
        return cell.record.generation == generation ? cell : nil
    }

    /// The record at the address a packet carries, if there is one.
    // SAFETY: the pointer is compared as a number and not followed.
    @inline(__always)
    func find(block: UnsafeMutableRawPointer) -> Cell? {
        guard let index = addresses.value.index(at: UInt(bitPattern: block)) else { return nil }
        return self[index]
    }

    // SAFETY: callers pass indices of this slab's own lists.
    @inline(__always)
    subscript(index: CellIndex) -> Cell {
        guard let cell = unsafe cells[Int(index.rawValue)] else { trap("A list of the ledger names a cell that was given back.") }
        return cell
    }

    /// A free cell with room for `bytes`, recycled or new.
    func take(bytes: Int) -> Cell {
        let sizeClass = SizeClass(holding: bytes)
        let list = free[Int(sizeClass.rawValue)]
        guard list.first != .none else { return make(sizeClass) }
        let cell = self[list.first]
        free[Int(sizeClass.rawValue)].first = cell.record.nextFree
        free[Int(sizeClass.rawValue)].count -= 1
        if cell.record.nextFree == .none { free[Int(sizeClass.rawValue)].last = .none }
        cell.record.nextFree = .none
        if sizeClass.rawValue >= Slab.largeClass.rawValue { idleBytes -= sizeClass.nominalBytes }
        return cell
    }

    /// Takes a retired record back; its id is dead from here on.
    func giveBack(_ cell: Cell) {
        cell.record.generation &+= 1
        let sizeClass = cell.record.sizeClass
        if sizeClass.rawValue >= Slab.largeClass.rawValue {
            guard idleBytes + sizeClass.nominalBytes <= idleBytesMax else { return dispose(cell) }
            idleBytes += sizeClass.nominalBytes
        }
        let place = Int(sizeClass.rawValue)
        if free[place].last == .none {
            free[place].first = cell.record.index
        } else {
            self[free[place].last].record.nextFree = cell.record.index
        }
        free[place].last = cell.record.index
        free[place].count += 1
    }

    /// Every cell there is, for dumps and checks.
    // SAFETY: as for `find`.
    func visit(_ body: (Cell) -> Void) {
        for index in 0..<indexCount {
            if let cell = unsafe cells[index] { body(cell) }
        }
    }

    /// The indices on the free list of a class, in order; for checks.
    func freeIndices(_ sizeClass: SizeClass) -> [CellIndex] {
        var found: [CellIndex] = []
        var index = free[Int(sizeClass.rawValue)].first
        while index != .none {
            found.append(index)
            index = self[index].record.nextFree
        }
        return found
    }

    /// Whether the table of addresses leads back to the cell; for checks.
    // SAFETY: the address is a number here.
    func isListed(_ cell: Cell) -> Bool { addresses.value.index(at: UInt(bitPattern: unsafe cell.block)) == cell.record.index }

    // SAFETY: a new cell is fully initialised before it is listed; `vacant` indices lie below `indexCount`.
    private func make(_ sizeClass: SizeClass) -> Cell {
        let index = vacant.popLast() ?? nextIndex()
        let memory = UnsafeMutableRawPointer.allocate(byteCount: sizeClass.cellBytes, alignment: 64)
        let pointer = unsafe memory.bindMemory(to: Record.self, capacity: 1)
        unsafe pointer.initialize(to: Record(index: index, sizeClass: sizeClass))
        let cell = unsafe Cell(pointer)
        cell.record.generation = Slab.firstGeneration &+ generations
        unsafe cells[Int(index.rawValue)] = cell
        addresses.value.insert(UInt(bitPattern: memory), index)
        return cell
    }

    /// A cell that is given back to the system leaves its index to another; this keeps the other's generations above its own.
    private var generations: UInt64 = 0
    private static let firstGeneration: UInt64 = 1

    // SAFETY: the cell is on no list; nothing refers to it but ids whose generation is past.
    private func dispose(_ cell: Cell) {
        let index = cell.record.index
        generations = max(generations, cell.record.generation)
        addresses.value.remove(UInt(bitPattern: unsafe cell.block))
        unsafe cells[Int(index.rawValue)] = nil
        vacant.append(index)
        Slab.deallocate(cell)
    }

    // SAFETY: `bindMemory` in `make` and this are the two ends of a record's memory.
    private static func deallocate(_ cell: Cell) {
        let memory = unsafe cell.block
        unsafe memory.assumingMemoryBound(to: Record.self).deinitialize(count: 1)
        unsafe memory.deallocate()
    }

    // SAFETY: the old places are moved before their memory is freed.
    private func nextIndex() -> CellIndex {
        if indexCount == cellsCapacity {
            let larger = UnsafeMutablePointer<Cell?>.allocate(capacity: cellsCapacity * 2)
            unsafe larger.moveInitialize(from: cells, count: cellsCapacity)
            unsafe (larger + cellsCapacity).initialize(repeating: nil, count: cellsCapacity)
            unsafe cells.deallocate()
            unsafe cells = larger
            cellsCapacity *= 2
        }
        indexCount += 1
        return CellIndex(rawValue: UInt32(indexCount - 1))
    }
}
