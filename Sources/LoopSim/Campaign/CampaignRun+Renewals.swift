internal import LoopCore

extension CampaignRun {
    /// Makes the next operation of one that has completed, in its memory: its id is dead as if its result had been taken.
    func renew(_ operation: CampaignOperation) {
        // Of what a remote one was lent nothing is known, and nothing could be compared.
        guard let memory = operation.memory, let kind = kind(of: operation.line) else { return }
        if let refusal = refusalToRenew(operation) {
            return expect(refusal, "renew") { () throws(OperationError) in try ops.renew(operation.id, as: kind) }
        }
        lastTag += 1
        do throws(OperationError) {
            let renewed = try ops.renew(operation.id, as: kind, tag: lastTag)
            require(renewed.facts == operation.packet, "a renewal hands over other facts than the packet's")
            require(memory.bytes(0..<operation.bytes.count) == operation.bytes, "a renewed operation has lost its bytes")
            closeAcquired(operation)
            bury(operation)
            let next = CampaignOperation(renewed.id, operation.line, tag: lastTag, capacity: operation.capacity)
            next.memory = memory
            next.isOfKind = true
            adopt(next)
        } catch {
            fail("a completed operation could not be renewed")
        }
    }

    private func refusalToRenew(_ operation: CampaignOperation) -> OperationError? {
        operation.line.phase == .associated ? refusalToTake(operation) : .notAssociated
    }

    /// The kind of a line's renewed operations; nil where there is none and none can be made any more.
    private func kind(of line: CampaignLine) -> OperationKind? {
        if let kind = line.renewals { return kind }
        guard line.phase == .associated, let handle = line.handle else { return nil }
        do throws(OperationError) {
            line.renewals = try ops.kind(on: handle) { [self] id, end in
                guard let operation = operations.first(where: { $0.id == id }) else { return fail("a kind was told of a dead id") }
                told(operation, id, end)
            }
        } catch {
            fail("a kind was refused on a handle that is associated")
        }
        return line.renewals
    }

    /// An operation of a kind has been submitted, and its kind waits for it.
    func kindWaits(for operation: CampaignOperation) {
        if operation.isOfKind { waits(operation, 0, .take) }
    }
}
