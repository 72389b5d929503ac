extension Ledger {
    /// Enters a kind of operation on an associated handle.
    func makeKind(_ handle: AssociatedHandle, _ options: OperationOptions, _ sink: Sink) throws(OperationError) -> OperationKind {
        guard isOpen else { throw .closed }
        guard handle.ledger == number, let owner = handles.associated(handle.key) else { throw .notAssociated }
        guard owner.entry.kinds < limits.kindsPerHandleMax else {
            trap(
                """
                A handle has \(limits.kindsPerHandleMax) kinds of operation, and was given one more. Make a kind once, when the handle is \
                associated, and not for each operation.
                """)
        }
        let slot = kinds.add(owner, options, sink)
        owner.entry.firstKind = slot
        owner.entry.kinds += 1
        return OperationKind(place: kinds[slot].place, generation: kinds[slot].entry.generation, ledger: number)
    }

    /// The handle retires: no operation of its kinds is prepared any more.
    func closeKinds(of handle: HandleRef) {
        forEachKind(of: handle) { slot in kinds[slot].entry.generation = 0 }
    }

    /// The handle has no record left: its kinds are forgotten, and let go of when nobody is being told anything.
    func dropKinds(of handle: HandleRef) {
        guard handle.entry.firstKind != KindTable.none else { return }
        var sinks: [Sink] = []
        forEachKind(of: handle) { slot in
            if let sink = kinds.drop(slot) { sinks.append(sink) }
        }
        handle.entry.firstKind = KindTable.none
        handle.entry.kinds = 0
        notices.append(.dropped(sinks))
    }

    /// The loop ends: nobody is told of a kind any more, and what the sinks hold, perhaps the loop, is let go of. What is left of their
    /// operations keeps its line of source.
    func dropAllKinds() {
        slab.visit { cell in
            guard let kind = cell.record.kind else { return }
            cell.record.place = kind.entry.place
            cell.record.kind = nil
        }
        for slot in 0..<UInt32(handles.slotCount) { dropKinds(of: handles[slot]) }
    }

    /// The body may drop the kind it is given.
    private func forEachKind(of handle: HandleRef, _ body: (UInt32) -> Void) {
        var next = handle.entry.firstKind
        while next != KindTable.none {
            let slot = next
            next = kinds[slot].entry.next
            body(slot)
        }
    }
}
