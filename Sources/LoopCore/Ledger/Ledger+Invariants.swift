// The numbered invariants of the ledger, true between any two of its calls.
//
//    L1  Every cell is on the free list of its size class exactly once if its record is free, and on none otherwise.
//    L2  The counts by state are the counts of a walk.
//    L3  The bytes in flight are the sum of the capacities of the records that are on a handle's list.
//    L4  The list of a handle holds the prepared, submitted, completed and orphaned records of its generation, each once; its counts are
//        theirs.
//    L5  A wait, a waiter's or a kind's, is in a submitted or a completed record, and in no other.
//    L6  The table of addresses leads from a cell's address to its index, and the index to the cell.
//    L7  A slot is vacant, or has an association whose generation is not zero; a retired one has at least one record left.
//    L8  Records, associations and bytes are within their limits.
//    L9  What waits to be told is completed and has a waiter or a kind, each once; and whatever is completed and waited for waits there.

/// A broken invariant: which one, and where.
public struct InvariantFailure: Error, Hashable, Sendable {
    /// The invariant: L1 to L9.
    public let number: String
    /// The slot, the cell, or the count at which it was found broken.
    public let place: Int
}

extension Ledger {
    /// Looks at every invariant and throws the first that is broken. Walks everything.
    func checkInvariants() throws(InvariantFailure) {
        try checkFreeLists()
        try checkCounts()
        try checkHandles()
        try checkRecords()
        try checkSettled()
    }

    private func check(_ holds: Bool, _ number: String, _ place: Int) throws(InvariantFailure) {
        if !holds { throw InvariantFailure(number: number, place: place) }
    }

    private func checkFreeLists() throws(InvariantFailure) {
        var listed = [Int](repeating: 0, count: slab.indexCount)
        for sizeClass in 0..<SizeClass.count {
            for cell in slab.freeCells(SizeClass(rawValue: UInt8(sizeClass))) {
                let index = Int(cell.record.index.rawValue)
                try check(Int(cell.record.sizeClass.rawValue) == sizeClass, "L1", index)
                listed[index] += 1
            }
        }
        var broken: Int?
        slab.visit { cell in
            let index = Int(cell.record.index.rawValue)
            let expected: Int
            if case .free = cell.record.state { expected = 1 } else { expected = 0 }
            if listed[index] != expected { broken = index }
        }
        try check(broken == nil, "L1", broken ?? 0)
    }

    private func checkCounts() throws(InvariantFailure) {
        var found = LedgerCounts()
        slab.visit { cell in
            switch cell.record.state {
            case .free, .taken: return
            case .prepared, .completed: break
            case .submitted: found.submitted += 1
            case .orphaned: found.orphaned += 1
            }
            found.inFlight += 1
            found.bytesInFlight += Int(cell.record.capacity)
        }
        try check(found.inFlight == counts.inFlight, "L2", found.inFlight)
        try check(found.submitted == counts.submitted, "L2", found.submitted)
        try check(found.orphaned == counts.orphaned, "L2", found.orphaned)
        try check(found.bytesInFlight == counts.bytesInFlight, "L3", found.bytesInFlight)
        try check(counts.inFlight <= limits.operationsMax && counts.bytesInFlight <= limits.bytesMax, "L8", counts.inFlight)
    }

    private func checkHandles() throws(InvariantFailure) {
        var total = 0
        for slot in 0..<UInt32(handles.slotCount) {
            var (operations, submitted, orphans, bytes) = (0, 0, 0, 0)
            let handle = handles[slot]
            var previous: Cell?
            var isLinked = true
            forEachRecord(on: handle) { cell in
                operations += 1
                bytes += Int(cell.record.capacity)
                if case .submitted = cell.record.state { submitted += 1 }
                if case .orphaned = cell.record.state { orphans += 1 }
                isLinked = isLinked && cell.record.previous == previous && cell.record.handle == handle
                previous = cell
            }
            total += operations
            let entry = handle.entry
            try check(entry.key.slot == slot, "L7", Int(slot))
            try check(isLinked && entry.operations == operations && entry.submitted == submitted, "L4", Int(slot))
            try check(entry.orphans == orphans && entry.bytes == bytes, "L4", Int(slot))
            try check(operations <= limits.operationsPerHandleMax && bytes <= limits.bytesPerHandleMax, "L8", Int(slot))
            switch entry.phase {
            case .vacant: try check(entry.key.generation == 0 && operations == 0, "L7", Int(slot))
            case .associated: try check(entry.key.generation != 0, "L7", Int(slot))
            case .retiring: try check(submitted > 0, "L7", Int(slot))
            case .retired: try check(operations > 0, "L7", Int(slot))
            }
        }
        try check(total == counts.inFlight, "L4", total)
    }

    private func checkRecords() throws(InvariantFailure) {
        var broken: (String, Int)?
        slab.visit { cell in
            let index = Int(cell.record.index.rawValue)
            if !slab.isListed(cell) { broken = ("L6", index) }
            let isInFlight =
                switch cell.record.state {
                case .submitted, .completed: true
                case .free, .prepared, .taken, .orphaned: false
                }
            let isRight =
                switch cell.record.stage {
                case .none: !cell.record.waiting.hasWaiter
                case .waiting: isInFlight && cell.record.waiting.hasWaiter
                case .waitingForKind: isInFlight && cell.record.kind != nil && !cell.record.waiting.hasWaiter
                case .ending: isInFlight && (cell.record.kind != nil || cell.record.waiting.hasWaiter)
                }
            if !isRight { broken = ("L5", index) }
        }
        if let (number, place) = broken { throw InvariantFailure(number: number, place: place) }
    }
}

extension Ledger {
    private func checkSettled() throws(InvariantFailure) {
        var entries = [Int](repeating: 0, count: slab.indexCount)
        for place in 0..<settled.count { entries[Int(settled[place].record.index.rawValue)] += 1 }
        var broken: Int?
        slab.visit { cell in
            var expected = 0
            if case .completed = cell.record.state { expected = cell.record.stage.isNone ? 0 : 1 }
            if entries[Int(cell.record.index.rawValue)] != expected { broken = Int(cell.record.index.rawValue) }
        }
        try check(broken == nil, "L9", broken ?? 0)
    }
}

extension Operations {
    /// Looks at every numbered invariant of the ledger and throws the first that is broken. For tests: it walks everything.
    public func checkInvariants() throws(InvariantFailure) { try ledger.checkInvariants() }
}
