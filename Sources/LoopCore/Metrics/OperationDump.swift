/// One operation in flight, as `dump` and the shutdown report show it.
public struct OperationDump: Hashable, Sendable, CustomStringConvertible {
    public let handle: NativeHandle
    public let tag: UInt64
    public let phase: OperationPhase
    public let ageNanoseconds: UInt64
    public let capacity: Int
    /// Whether it has been asked to end.
    public let isCancelling: Bool
    /// The source line that prepared it.
    public let file: String
    public let line: UInt32

    init(_ cell: Cell, now: MonotonicInstant) {
        handle = cell.record.native
        tag = cell.record.tag
        phase = cell.record.state.phase
        ageNanoseconds = now.nanoseconds(since: cell.record.preparedAt)
        capacity = Int(cell.record.capacity)
        if case .submitted(.asked) = cell.record.state { isCancelling = true } else { isCancelling = false }
        file = cell.record.place.file.description
        line = cell.record.place.line
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
    public let operations: [OperationDump]
    /// Handles that are associated, with what is in flight on each.
    public let handles: [HandleDump]

    public var description: String {
        var lines = ["\(operations.count) operations in flight on \(handles.count) handles"]
        for handle in handles { lines.append("  \(handle)") }
        for operation in operations { lines.append("  \(operation)") }
        return lines.joined(separator: "\n")
    }
}

/// One association, as `dump` shows it.
public struct HandleDump: Hashable, Sendable, CustomStringConvertible {
    public let handle: NativeHandle
    public let operations: Int
    public let orphans: Int
    public let bytes: Int
    public let isRetiring: Bool

    public var description: String {
        "handle \(handle.rawValue): \(operations) operations, \(bytes) bytes\(orphans > 0 ? ", \(orphans) orphaned" : "")"
            + (isRetiring ? ", retiring" : "")
    }
}

extension Operations {
    /// Every operation in flight: handle, tag, state, age, and the source line that prepared it. Walks the whole ledger.
    public func dump() -> LoopDump {
        var operations: [OperationDump] = []
        ledger.slab.forEach { cell in
            switch cell.record.state {
            case .prepared, .submitted, .completed, .orphaned: operations.append(OperationDump(cell, now: core.port.now()))
            case .free, .taken: break  // Nobody's, or its taker's alone.
            }
        }
        return LoopDump(operations: operations, handles: ledger.handleDumps())
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
