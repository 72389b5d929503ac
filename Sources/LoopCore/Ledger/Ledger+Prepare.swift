extension Ledger {
    /// Takes a record for one operation on an associated handle.
    func prepare(
        _ handle: AssociatedHandle, capacity: Int, tag: UInt64, address: AddressRoom, bytesOnError: BytesOnError, place: SourcePlace,
        now: MonotonicInstant
    ) throws(OperationError) -> Cell {
        guard isOpen else { throw .closed }
        guard handle.ledger == number, let owner = handles.associated(handle.key) else { throw .notAssociated }
        guard UInt(bitPattern: capacity) <= UInt(Limits.capacityMax) else {
            throw .capacityExceeded(requested: capacity, limit: Limits.capacityMax)
        }
        guard isWithinLimits(owner, capacity) else { throw refusal(on: owner, capacity) }
        let cell = slab.take(bytes: address == .one ? capacity + Cell.addressBytes : capacity)
        cell.record.state.prepare()
        cell.record.tag = tag
        cell.record.capacity = UInt32(truncatingIfNeeded: capacity)
        cell.record.address = address
        cell.record.bytesOnError = bytesOnError
        cell.record.flow = .none
        cell.record.completer = .driver
        cell.record.place = place
        cell.record.preparedAt = now
        cell.clearControlBlock()
        if address == .one { cell.clearAddress() }
        link(cell, owner)
        counts.inFlight &+= 1
        counts.preparedEver &+= 1
        counts.bytesInFlight &+= capacity
        return cell
    }

    @inline(__always)
    private func isWithinLimits(_ handle: HandleRef, _ capacity: Int) -> Bool {
        // Both sums are far from any overflow: the capacity is at most 16 MiB, and what is in flight passed here.
        counts.inFlight < limits.operationsMax && counts.bytesInFlight &+ capacity <= limits.bytesMax
            && handle.entry.operations < limits.operationsPerHandleMax && handle.entry.bytes &+ capacity <= limits.bytesPerHandleMax
    }

    /// Which limit refuses: with backpressure where waiting helps, and with an error of its own where it never could (clause C12).
    @inline(never)
    private func refusal(on handle: HandleRef, _ capacity: Int) -> OperationError {
        let bytesMax = min(limits.bytesMax, limits.bytesPerHandleMax)
        if capacity > bytesMax { return .capacityExceeded(requested: capacity, limit: bytesMax) }
        if counts.inFlight >= limits.operationsMax { return .backpressure(.operationsOnLoop) }
        if counts.bytesInFlight + capacity > limits.bytesMax { return .backpressure(.bytesOnLoop) }
        if handle.entry.operations > 0, handle.entry.orphans == handle.entry.operations { return .stuck }
        if handle.entry.operations >= limits.operationsPerHandleMax { return .backpressure(.operationsOnHandle) }
        return .backpressure(.bytesOnHandle)
    }

    /// Enters a record on its handle's list.
    @inline(__always)
    private func link(_ cell: Cell, _ handle: HandleRef) {
        let first = handle.entry.first
        cell.record.handle = handle
        cell.record.next = first
        cell.record.previous = nil
        if let first { first.record.previous = cell }
        handle.entry.first = cell
        handle.entry.operations &+= 1
        handle.entry.bytes &+= Int(cell.record.capacity)
    }

    /// Takes a record off its handle's list. The last one of a retired handle frees its slot.
    func unlink(_ cell: Cell) {
        let handle = cell.handle
        unlink(cell, handle)
        if handle.entry.operations == 0, handle.entry.phase == .retired { handles.vacate(handle.entry.key.slot) }
    }

    @inline(__always)
    func unlink(_ cell: Cell, _ handle: HandleRef) {
        let (next, previous) = (cell.record.next, cell.record.previous)
        if let previous { previous.record.next = next } else { handle.entry.first = next }
        if let next { next.record.previous = previous }
        cell.record.next = nil
        cell.record.handle = nil
        handle.entry.operations &-= 1
        handle.entry.bytes &-= Int(cell.record.capacity)
        counts.bytesInFlight &-= Int(cell.record.capacity)
        counts.inFlight &-= 1
    }

    /// Gives a record in the state `free` back to the slab.
    @inline(__always)
    func release(_ cell: Cell) {
        unlink(cell)
        slab.giveBack(cell)
    }
}
