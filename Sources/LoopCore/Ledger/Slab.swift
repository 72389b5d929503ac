/// The cells of a ledger: where records live, which are free, and which address is whose.
///
/// A cell keeps its address, its index and its size class for life. Free cells of a class are reused first in, first out, so that a late
/// duplicate of a packet finds its old record free rather than busy again (clause C6).
@safe final class Slab {
    private struct FreeList {
        var first: Cell?
        var last: Cell?
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
    /// Cells that are outcomes now, in the hands of whoever asked for the operation.
    private var outcomes = 0
    /// The ledger has ended, and the last of the outcomes ends the slab.
    private var isLeftBehind = false

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
            guard let cell = unsafe cells[index], cell.record.sizeClass != .smallest, !isHeld(cell) else { continue }
            Slab.deallocate(cell)
        }
        for row in rows.indices { deallocate(row: row) }
        unsafe cells.deallocate()
    }

    /// Whether somebody else may use the cell yet: the kernel, or the function that a taken one is lent to.
    private func isHeld(_ cell: Cell) -> Bool {
        switch cell.record.state {
        case .free, .prepared, .completed: false
        case .submitted, .orphaned, .taken: true
        }
    }

    /// A taken cell is an outcome from here on.
    @inline(__always)
    func becomesOutcome() { outcomes &+= 1 }

    /// Takes back a taken record.
    @inline(__always)
    func drop(_ cell: Cell) {
        cell.record.state.drop()
        giveBack(cell)
    }

    /// As ``drop(_:)``, of one that was an outcome.
    @inline(__always)
    func drop(outcome cell: Cell) {
        drop(cell)
        outcomes &-= 1
        if isLeftBehind { leaveWithTheLast() }
    }

    /// The ledger ends. Outcomes may still be read, so the slab stays until the last of them is dropped.
    // SAFETY: retained once here, and released once, by the last.
    func outliveLedger() {
        guard outcomes > 0 else { return }
        isLeftBehind = true
        _ = unsafe Unmanaged.passRetained(self)
    }

    // SAFETY: as above. Whoever drops the outcome does not look at the slab afterwards.
    @inline(never)
    private func leaveWithTheLast() {
        if outcomes == 0 { unsafe Unmanaged.passUnretained(self).release() }
    }

    /// The record an id names, if it is still that operation.
    // SAFETY: the index is checked against `indexCount`; a vacant place holds nil.
    @inline(__always)
    func find(_ index: CellIndex, generation: UInt64) -> Cell? {
        guard index.rawValue < UInt32(truncatingIfNeeded: indexCount), let cell = unsafe cells[Int(index.rawValue)] else { return nil }
        return cell.record.generation == generation ? cell : nil
    }

    /// The record at the address a packet carries, if there is one.
    // SAFETY: the pointer is compared as a number, and followed only if a cell of this slab begins there.
    @inline(__always)
    func find(block: UnsafeMutableRawPointer) -> Cell? {
        guard addresses.value.contains(UInt(bitPattern: block)) else { return nil }
        return unsafe Cell(block.assumingMemoryBound(to: Record.self))
    }

    /// A free cell with room for `bytes`, recycled or new.
    @inline(__always)
    func take(bytes: Int) -> Cell {
        let sizeClass = SizeClass(holding: bytes)
        guard let cell = free[Int(sizeClass.rawValue)].first else { return make(sizeClass) }
        free[Int(sizeClass.rawValue)].first = cell.record.next
        cell.record.next = nil
        if sizeClass.rawValue >= SizeClass.firstLarge.rawValue { idleBytes -= sizeClass.nominalBytes }
        return cell
    }

    /// As ``take(bytes:)``, if a small cell lies ready: a way without a call.
    @inline(__always)
    func takeReady(bytes: Int) -> Cell? {
        let sizeClass = SizeClass(holding: bytes)
        guard sizeClass.rawValue < SizeClass.firstLarge.rawValue, let cell = free[Int(sizeClass.rawValue)].first else { return nil }
        free[Int(sizeClass.rawValue)].first = cell.record.next
        return cell
    }

    /// Takes a retired record back; its id is dead from here on.
    @inline(__always)
    func giveBack(_ cell: Cell) {
        guard isSmall(cell) else { return giveBackLarge(cell) }
        giveBackSmall(cell)
    }

    /// Whether the cell is kept for good.
    @inline(__always)
    func isSmall(_ cell: Cell) -> Bool { cell.record.sizeClass.rawValue < SizeClass.firstLarge.rawValue }

    @inline(__always)
    func giveBackSmall(_ cell: Cell) {
        cell.record.generation &+= 1
        append(cell)
    }

    /// A large cell waits for its next operation, or goes back to the system.
    @inline(never)
    private func giveBackLarge(_ cell: Cell) {
        cell.record.generation &+= 1
        let bytes = cell.record.sizeClass.nominalBytes
        guard idleBytes + bytes <= idleBytesMax else { return dispose(cell) }
        idleBytes += bytes
        append(cell)
    }

    @inline(__always)
    private func append(_ cell: Cell) {
        let place = Int(cell.record.sizeClass.rawValue)
        // The last is of no meaning while there is no first.
        if let last = free[place].last, free[place].first != nil { last.record.next = cell } else { free[place].first = cell }
        free[place].last = cell
    }

    /// Every cell there is, for dumps and checks.
    // SAFETY: as for `find`.
    func visit(_ body: (Cell) -> Void) {
        for index in 0..<indexCount {
            if let cell = unsafe cells[index] { body(cell) }
        }
    }

    /// The cells on the free list of a class, in order; for checks.
    func freeCells(_ sizeClass: SizeClass) -> [Cell] {
        var found: [Cell] = []
        var next = free[Int(sizeClass.rawValue)].first
        while let cell = next {
            found.append(cell)
            next = cell.record.next
        }
        return found
    }

    /// Whether the cell's address and its index both lead to it; for checks.
    // SAFETY: the address is a number here; the index is one of this slab's.
    func isListed(_ cell: Cell) -> Bool {
        let named = unsafe cells[Int(cell.record.index.rawValue)]
        return named == cell && addresses.value.contains(UInt(bitPattern: unsafe cell.block))
    }

    // SAFETY: a new cell is fully initialised before it is listed; `vacant` indices lie below `indexCount`.
    @inline(never)
    private func make(_ sizeClass: SizeClass) -> Cell {
        let index = vacant.popLast() ?? nextIndex()
        let memory = unsafe sizeClass == .smallest ? cellOfRow() : .allocate(byteCount: sizeClass.cellBytes, alignment: 64)
        let pointer = unsafe memory.bindMemory(to: Record.self, capacity: 1)
        unsafe pointer.initialize(to: Record(index: index, sizeClass: sizeClass))
        let cell = unsafe Cell(pointer)
        cell.record.generation = Slab.firstGeneration &+ generations
        unsafe cells[Int(index.rawValue)] = cell
        addresses.value.insert(UInt(bitPattern: memory))
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
        deinitialize(cell)
        unsafe cell.block.deallocate()
    }

    // SAFETY: as above.
    private static func deinitialize(_ cell: Cell) {
        unsafe cell.block.assumingMemoryBound(to: Record.self).deinitialize(count: 1)
    }

    // MARK: cells without a buffer
    //
    // They stand in rows, one behind the other: five lines apart, an odd number, so that they use every set of a cache alike. Allocated
    // one by one they lie six lines apart and use half of the sets; 64 of them then drive each other out of the first-level cache
    // (measured, a quarter of the cost of an operation). Cells with a buffer stay apart, so that an overrun meets nobody.

    @safe private struct Row {
        let start: UnsafeMutableRawPointer
    }

    private var rows: [Row] = []
    private var leftInRow = 0
    private static var cellsPerRow: Int { 16 }

    // SAFETY: a row has room for `cellsPerRow` cells; the last `leftInRow` of the newest have not been handed out.
    private func cellOfRow() -> UnsafeMutableRawPointer {
        if leftInRow == 0 {
            rows.append(unsafe Row(start: .allocate(byteCount: Slab.cellsPerRow * SizeClass.smallest.cellBytes, alignment: 64)))
            leftInRow = Slab.cellsPerRow
        }
        leftInRow -= 1
        return unsafe rows[rows.count - 1].start + (Slab.cellsPerRow - 1 - leftInRow) * SizeClass.smallest.cellBytes
    }

    /// A row stays where one of its cells does.
    // SAFETY: as above; a cell that was handed out is initialised.
    private func deallocate(row: Int) {
        let start = unsafe rows[row].start
        let count = row == rows.count - 1 ? Slab.cellsPerRow - leftInRow : Slab.cellsPerRow
        var isHeldByAny = false
        for place in 0..<count {
            let cell = unsafe Cell((start + place * SizeClass.smallest.cellBytes).assumingMemoryBound(to: Record.self))
            if isHeld(cell) { isHeldByAny = true } else { Slab.deinitialize(cell) }
        }
        if !isHeldByAny { unsafe start.deallocate() }
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
