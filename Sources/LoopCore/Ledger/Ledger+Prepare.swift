extension Ledger {
    /// Takes a record for one operation on an associated handle.
    func prepare(
        _ handle: AssociatedHandle, capacity: Int, tag: UInt64, _ options: OperationOptions, now: MonotonicInstant
    ) throws(OperationError) -> Cell {
        guard isOpen else { throw .closed }
        guard handle.ledger == number, let owner = handles.associated(handle.key) else { throw .notAssociated }
        let cell = try takeRecord(owner, capacity: capacity, address: options.address)
        cell.record.kind = nil
        cell.record.place = options.place
        begin(cell, owner, capacity: capacity, tag: tag, options.address, options.bytesOnError, now: now)
        return cell
    }

    /// Takes a record for one operation of a kind.
    func prepare(_ kind: OperationKind, capacity: Int, tag: UInt64, now: MonotonicInstant) throws(OperationError) -> Cell {
        guard isOpen else { throw .closed }
        guard kind.ledger == number, let known = kinds.open(kind) else { throw .notAssociated }
        let owner = known.entry.handle
        let cell = try takeRecord(owner, capacity: capacity, address: known.entry.address)
        cell.record.kind = known
        begin(cell, owner, capacity: capacity, tag: tag, known.entry.address, known.entry.bytesOnError, now: now)
        return cell
    }

    private func takeRecord(_ owner: HandleRef, capacity: Int, address: AddressRoom) throws(OperationError) -> Cell {
        guard UInt(bitPattern: capacity) <= UInt(Limits.capacityMax) else {
            throw .capacityExceeded(requested: capacity, limit: Limits.capacityMax)
        }
        guard isWithinLimits(owner, capacity) else { throw refusal(on: owner, capacity) }
        let cell = slab.take(bytes: address == .one ? capacity + Cell.addressBytes : capacity)
        if address == .one { cell.clearAddress() }
        return cell
    }

    /// Makes a free record an operation: all that any operation needs, whoever prepares it.
    @inline(__always)
    func begin(
        _ cell: Cell, _ owner: HandleRef, capacity: Int, tag: UInt64, _ address: AddressRoom, _ bytesOnError: BytesOnError,
        now: MonotonicInstant
    ) {
        cell.record.state.prepare()
        cell.record.address = address
        cell.record.capacity = UInt32(truncatingIfNeeded: capacity)
        makeReady(cell, tag, bytesOnError, now)
        link(cell, owner)
        counts.inFlight &+= 1
        // Waits have no bytes, and a store less is a cycle less: a core has one store a cycle, and an operation some ninety.
        if capacity > 0 { addBytes(capacity, owner) }
    }

    /// Lets a prepared record forget the operation it was.
    @inline(__always)
    func makeReady(_ cell: Cell, _ tag: UInt64, _ bytesOnError: BytesOnError, _ now: MonotonicInstant) {
        cell.record.flow = .none
        cell.record.completer = .driver
        cell.record.bytesOnError = bytesOnError
        cell.record.tag = tag
        cell.record.preparedAt = now
        cell.clearControlBlock()
        counts.preparedEver &+= 1
    }

    @inline(__always)
    func isWithinLimits(_ handle: HandleRef, _ capacity: Int) -> Bool {
        counts.inFlight < limits.operationsMax && handle.entry.operations < limits.operationsPerHandleMax
            && (capacity == 0 || hasBytes(handle, capacity))
    }

    // Both sums are far from any overflow: the capacity is at most 16 MiB, and what is in flight passed here.
    @inline(__always)
    private func hasBytes(_ handle: HandleRef, _ capacity: Int) -> Bool {
        counts.bytesInFlight &+ capacity <= limits.bytesMax && handle.entry.bytes &+ capacity <= limits.bytesPerHandleMax
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
    }

    @inline(__always)
    private func addBytes(_ count: Int, _ handle: HandleRef) {
        handle.entry.bytes &+= count
        counts.bytesInFlight &+= count
    }

    /// Takes a record off its handle's list. The last one of a retired handle frees its slot.
    func unlink(_ cell: Cell) {
        let handle = cell.handle
        unlink(cell, handle)
        if handle.entry.operations == 0, handle.entry.phase == .retired { vacate(handle) }
    }

    @inline(__always)
    func unlink(_ cell: Cell, _ handle: HandleRef) {
        let (next, previous) = (cell.record.next, cell.record.previous)
        if let previous { previous.record.next = next } else { handle.entry.first = next }
        if let next { next.record.previous = previous }
        cell.record.next = nil
        cell.record.handle = nil
        handle.entry.operations &-= 1
        counts.inFlight &-= 1
        if cell.record.capacity > 0 { addBytes(-Int(cell.record.capacity), handle) }
    }

    /// Gives a record in the state `free` back to the slab.
    @inline(__always)
    func release(_ cell: Cell) {
        unlink(cell)
        slab.giveBack(cell)
    }
}
