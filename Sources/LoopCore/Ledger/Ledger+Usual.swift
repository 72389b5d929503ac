// The usual case of the calls that every operation makes.
//
// Nothing on these ways calls another function, so they need no frame and spill no register: a third of their cost (measured). Each says
// nil where anything is unusual (a refusal, a handle that retires), before it has changed anything; the caller then takes the general
// way, which is out of line and knows every case.
extension Ledger {
    /// The record an id names; nil also where the id is to be refused.
    @inline(__always)
    func usual(_ id: OperationID) -> Cell? {
        guard id.ledger == number else { return nil }
        return slab.find(id.index, generation: id.generation)
    }

    /// The record of a preparation, which lies where the preparation says if it is a small one: those are kept for good.
    // SAFETY: only a ledger makes such a value, and the number says that it was this one.
    @inline(__always)
    func usual(_ memory: PreparedMemory) -> Cell? {
        guard unsafe memory.id.ledger == number, unsafe memory.bytes <= SizeClass.smallBytesMax else { return nil }
        let cell = unsafe Cell(memory.controlBlock.assumingMemoryBound(to: Record.self))
        return unsafe cell.record.generation == memory.id.generation ? cell : nil
    }

    /// As ``prepare``, without room for an address, in a cell that lies ready. The clock is read as late as possible: in a register it
    /// would drive out another value.
    @inline(__always)
    func usualPrepare(_ kind: OperationKind, capacity: Int, tag: UInt64, now: @autoclosure () -> MonotonicInstant) -> Cell? {
        guard kind.ledger == number, let known = kinds.open(kind), known.entry.address == .none else { return nil }
        let owner = known.entry.handle
        guard UInt(bitPattern: capacity) <= UInt(Limits.capacityMax), isWithinLimits(owner, capacity) else { return nil }
        guard let cell = slab.takeReady(bytes: capacity) else { return nil }
        cell.record.kind = known
        begin(cell, owner, capacity: capacity, tag: tag, .none, known.entry.bytesOnError, now: now())
        return cell
    }

    /// As ``prepare``, for an operation that is of no kind.
    @inline(__always)
    func usualPrepare(
        _ handle: AssociatedHandle, capacity: Int, tag: UInt64, _ place: SourcePlace, now: @autoclosure () -> MonotonicInstant
    ) -> Cell? {
        guard isOpen, handle.ledger == number, let owner = handles.associated(handle.key) else { return nil }
        guard UInt(bitPattern: capacity) <= UInt(Limits.capacityMax), isWithinLimits(owner, capacity) else { return nil }
        guard let cell = slab.takeReady(bytes: capacity) else { return nil }
        cell.record.kind = nil
        cell.record.place = place
        begin(cell, owner, capacity: capacity, tag: tag, .none, .withheld, now: now())
        return cell
    }

    /// As ``take``, of an operation that nobody else waits for, on a handle that is not retired.
    @inline(__always)
    func usualTake(_ id: OperationID) -> Outcome? {
        guard let cell = usual(id), let handle = cell.record.handle, handle.entry.phase == .associated else { return nil }
        guard case .completed = cell.record.state, case .none = cell.record.stage else { return nil }
        try? cell.record.state.take()
        unlink(cell, handle)
        cell.record.generation &+= 1
        return Outcome(.finished, of: cell, in: self)
    }

    /// As ``submitted``, on a handle that is not retiring.
    @inline(__always)
    func usualSubmitted(_ cell: Cell?, _ flow: ByteFlow) -> Bool {
        guard let cell, let handle = cell.record.handle, handle.entry.phase == .associated else { return false }
        guard case .prepared = cell.record.state else { return false }
        try? cell.record.state.submit()
        cell.record.flow = flow
        handle.entry.submitted &+= 1
        cell.record.beginWaitForKind()
        counts.submitted &+= 1
        return true
    }

    /// As ``takeFacts``, of a small record on a handle that is not retired. The completion is good until the next preparation.
    // SAFETY: the slab keeps small cells for as long as it lives.
    @inline(__always)
    func usualTakeFacts(_ cell: Cell?) -> UnsafePointer<Completion>? {
        guard let cell, let handle = cell.record.handle, handle.entry.phase == .associated, slab.isSmall(cell) else {
            return nil
        }
        guard case .completed = cell.record.state, case .none = cell.record.stage else { return nil }
        try? cell.record.state.free()
        unlink(cell, handle)
        slab.giveBackSmall(cell)
        return unsafe cell.completion
    }

    /// As ``lend``, on a handle that is not retired.
    // SAFETY: the bytes lie in the cell.
    @inline(__always)
    func usualLend(_ id: OperationID) -> LentResult? {
        guard let cell = usual(id), let handle = cell.record.handle, handle.entry.phase == .associated else { return nil }
        guard case .completed = cell.record.state, case .none = cell.record.stage else { return nil }
        try? cell.record.state.take()
        unlink(cell, handle)
        cell.record.generation &+= 1
        return unsafe LentResult(completion: cell.completion, bytes: cell.exposed(cell.record.completion), cell: cell)
    }
}
