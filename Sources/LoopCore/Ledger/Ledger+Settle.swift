extension Ledger {
    /// Settles one packet. Nobody is resumed here.
    func deliver(_ packet: Packet) {
        if settles(packet) { countSettled(1) }
    }

    /// As ``deliver(_:)``, but for the count: true if the packet settled an operation. Counted for a batch at a time.
    @inline(__always)
    func settles(_ packet: Packet) -> Bool {
        guard packet.key == .operation else {
            counts.foreignPackets &+= 1
            return false
        }
        // SAFETY: the pointer is compared with the slab's addresses and not followed (C6).
        guard packet.completion.status != .pending, let block = unsafe packet.block, let cell = unsafe slab.find(block: block) else {
            counts.stalePackets &+= 1
            return false
        }
        switch cell.record.state.deliver() {
        case .settle:
            settle(cell, packet.completion)
            return true
        case .reclaimOrphan: reclaim(cell, packet.completion)
        case .stale: counts.stalePackets &+= 1
        }
        return false
    }

    @inline(__always)
    func countSettled(_ count: Int) {
        counts.packets &+= UInt64(truncatingIfNeeded: count)
        counts.submitted &-= count
    }

    @inline(__always)
    private func settle(_ cell: Cell, _ completion: Completion) {
        cell.record.completion = completion
        if case .none = cell.record.stage {} else { settled.append(cell) }
        oneLess(on: cell.handle)
    }

    /// One submitted operation less on a handle: perhaps the last that a retire waits for.
    @inline(__always)
    func oneLess(on handle: HandleRef) {
        handle.entry.submitted &-= 1
        if handle.entry.submitted == 0, handle.entry.phase == .retiring { finishRetire(handle) }
    }

    private func reclaim(_ cell: Cell, _ completion: Completion) {
        counts.packets &+= 1
        counts.orphaned -= 1
        counts.orphansReturned &+= 1
        cell.handle.entry.orphans -= 1
        close(acquiredBy: completion)
        release(cell)
    }

    /// Gives up on a submitted operation: its memory is the kernel's until the packet comes, if it ever does.
    func detach(_ cell: Cell) {
        cell.record.state.detach()
        counts.submitted -= 1
        counts.orphaned += 1
        counts.orphanedEver &+= 1
        cell.handle.entry.orphans += 1
        oneLess(on: cell.handle)
    }

    /// A handle that an accept made and that nobody took.
    func close(acquiredBy completion: Completion) {
        if completion.acquired != .invalid { port.close(acquired: completion.acquired) }
    }

    /// Closes the handles that an accept made and nobody took: the ledger ends, and nobody can.
    func closeUntakenHandles() {
        slab.visit { cell in
            if case .completed = cell.record.state { close(acquiredBy: cell.record.completion) }
        }
    }
}
