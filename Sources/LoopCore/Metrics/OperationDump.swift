/// One operation in flight, as `dump` and the shutdown report show it.
public struct OperationDump: Hashable, Sendable, CustomStringConvertible {
    /// The handle it is on.
    public let handle: NativeHandle
    /// The tag it was prepared with.
    public let tag: UInt64
    /// Where it is in its life.
    public let phase: OperationPhase
    /// How long ago it was prepared.
    public let ageNanoseconds: UInt64
    /// The size of its buffer.
    public let capacity: Int
    /// Whether it has been asked to end.
    public let isCancelling: Bool
    /// The source line that prepared it.
    public let file: String
    /// The line in that file.
    public let line: UInt32

    init(_ cell: Cell, now: MonotonicInstant) {
        handle = cell.handle.entry.native
        tag = cell.record.tag
        phase = cell.record.state.phase
        ageNanoseconds = now.nanoseconds(since: cell.record.preparedAt)
        capacity = Int(cell.record.capacity)
        if case .submitted(.asked) = cell.record.state { isCancelling = true } else { isCancelling = false }
        file = cell.place.file
        line = cell.place.line
    }

    public var description: String {
        """
        handle \(handle.rawValue) tag \(tag) \(phase.name)\(isCancelling ? ", asked to end" : "") for \(ageNanoseconds / 1_000_000) ms, \
        \(capacity) bytes, prepared at \(file):\(line)
        """
    }
}

/// Everything a loop has in flight, at one instant.
public struct LoopDump: Sendable, CustomStringConvertible {
    /// Every operation that is not free.
    public let operations: [OperationDump]
    /// Handles that are associated, with what is in flight on each.
    public let handles: [HandleDump]
    /// Fibers that have not ended. One that another thread has spawned, or that is a group's, is here from its first step on.
    public let fibers: [FiberDump]

    public var description: String {
        var lines = ["\(operations.count) operations in flight on \(handles.count) handles, \(fibers.count) fibers"]
        for handle in handles { lines.append("  \(handle)") }
        for operation in operations { lines.append("  \(operation)") }
        for fiber in fibers { lines.append("  \(fiber)") }
        return lines.joined(separator: "\n")
    }
}

/// One association, as `dump` shows it.
public struct HandleDump: Hashable, Sendable, CustomStringConvertible {
    /// The handle.
    public let handle: NativeHandle
    /// Records on it, orphans included.
    public let operations: Int
    /// Those that were given up on.
    public let orphans: Int
    /// Their buffers together.
    public let bytes: Int
    /// Whether it refuses new operations.
    public let isRetiring: Bool

    public var description: String {
        "handle \(handle.rawValue): \(operations) operations, \(bytes) bytes\(orphans > 0 ? ", \(orphans) orphaned" : "")"
            + (isRetiring ? ", retiring" : "")
    }
}

extension Operations {
    /// Every operation in flight: handle, tag, state, age, and the source line that prepared it; and the fibers. Walks the whole ledger.
    public func dump() -> LoopDump {
        var operations: [OperationDump] = []
        ledger.slab.visit { cell in
            switch cell.record.state {
            case .prepared, .submitted, .completed, .orphaned: operations.append(OperationDump(cell, now: core.port.now()))
            case .free, .taken: break  // Nobody's, or its taker's alone.
            }
        }
        return LoopDump(operations: operations, handles: ledger.handleDumps(), fibers: core.fibers.dump(now: core.port.now()))
    }
}

extension Ledger {
    func handleDumps() -> [HandleDump] {
        var dumps: [HandleDump] = []
        for slot in 0..<UInt32(handles.slotCount) {
            let entry = handles[slot].entry
            let isRetiring: Bool
            switch entry.phase {
            case .vacant: continue
            case .associated: isRetiring = false
            case .retiring, .retired: isRetiring = true
            }
            dumps.append(
                HandleDump(
                    handle: entry.native, operations: entry.operations, orphans: entry.orphans, bytes: entry.bytes,
                    isRetiring: isRetiring))
        }
        return dumps
    }
}
