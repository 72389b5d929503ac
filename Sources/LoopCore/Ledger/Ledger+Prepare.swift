extension Ledger {
    /// Takes a record for one operation on an associated handle.
    func prepare(
        _ handle: AssociatedHandle, capacity: Int, tag: UInt64, address: AddressRoom, bytesOnError: BytesOnError, place: SourcePlace,
        now: MonotonicInstant
    ) throws(OperationError) -> Cell {
        guard isOpen else { throw .closed }
        guard handle.ledger == number, handles.isAssociated(handle.key) else { throw .notAssociated }
        guard capacity >= 0, capacity <= Limits.capacityMax else {
            throw .capacityExceeded(requested: capacity, limit: Limits.capacityMax)
        }
        try checkLimits(handle.key.slot, capacity)
        let cell = slab.take(bytes: capacity)
        cell.record.state.prepare()
        cell.record.key = handle.key
        cell.record.native = handle.native
        cell.record.tag = tag
        cell.record.capacity = UInt32(truncatingIfNeeded: capacity)
        cell.record.address = address
        cell.record.bytesOnError = bytesOnError
        cell.record.flow = .none
        cell.record.place = place
        cell.record.preparedAt = now
        cell.clearControlBlock()
        cell.clearAddress()
        link(cell)
        counts.prepared += 1
        counts.preparedEver &+= 1
        return cell
    }

    /// Refuses what could be met later with backpressure, and what never could with an error of its own (clause C12).
    @inline(__always)
    private func checkLimits(_ slot: UInt32, _ capacity: Int) throws(OperationError) {
        guard counts.inFlight < limits.operationsMax else { throw .backpressure(.operationsOnLoop) }
        guard counts.bytesInFlight + capacity <= limits.bytesMax else {
            if capacity > limits.bytesMax { throw .capacityExceeded(requested: capacity, limit: limits.bytesMax) }
            throw .backpressure(.bytesOnLoop)
        }
        guard handles[slot].operations < limits.operationsPerHandleMax else {
            if handles[slot].orphans == handles[slot].operations { throw .stuck }
            throw .backpressure(.operationsOnHandle)
        }
        guard handles[slot].bytes + capacity <= limits.bytesPerHandleMax else {
            if capacity > limits.bytesPerHandleMax { throw .capacityExceeded(requested: capacity, limit: limits.bytesPerHandleMax) }
            if handles[slot].orphans == handles[slot].operations { throw .stuck }
            throw .backpressure(.bytesOnHandle)
        }
    }

    /// Enters a record on its handle's list and into the counts of bytes.
    @inline(__always)
    private func link(_ cell: Cell) {
        let slot = cell.record.key.slot
        let first = handles[slot].first
        cell.record.nextOnHandle = first
        cell.record.previousOnHandle = .none
        if first != .none { slab[first].record.previousOnHandle = cell.record.index }
        handles[slot].first = cell.record.index
        handles[slot].operations += 1
        handles[slot].bytes += Int(cell.record.capacity)
        counts.bytesInFlight += Int(cell.record.capacity)
    }

    /// Takes a record off its handle's list. The last one of a retired handle frees its slot.
    @inline(__always)
    func unlink(_ cell: Cell) {
        let (slot, next, previous) = (cell.record.key.slot, cell.record.nextOnHandle, cell.record.previousOnHandle)
        if previous == .none { handles[slot].first = next } else { slab[previous].record.nextOnHandle = next }
        if next != .none { slab[next].record.previousOnHandle = previous }
        handles[slot].operations -= 1
        handles[slot].bytes -= Int(cell.record.capacity)
        counts.bytesInFlight -= Int(cell.record.capacity)
        if handles[slot].operations == 0, case .retired = handles[slot].phase { handles.vacate(slot) }
    }

    /// Gives a record in the state `free` back to the slab.
    @inline(__always)
    func release(_ cell: Cell) {
        unlink(cell)
        slab.giveBack(cell)
    }
}
