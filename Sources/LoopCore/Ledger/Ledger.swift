/// Who owns which operation: the records, the associations, and every move between the states of `OperationState`.
///
/// The ledger calls the port and never a user. What is to be told to waiters it collects in ``resumptions``, which the loop works off
/// when the ledger is whole again. It belongs to the loop's thread. Its invariants are numbered in Ledger+Invariants.swift.
final class Ledger {
    let number = LedgerNumber.next()
    let limits: Limits
    let port: any CompletionPort
    let slab: Slab
    private let pinnedHandles = Pinned(HandleTable())
    private let pinnedCounts = Pinned(LedgerCounts())
    private let pinnedResumptions = Pinned(Ring<Resumption>())
    /// False once the loop ends: from then on nothing is prepared or associated.
    var isOpen = true

    init(port: any CompletionPort, limits: Limits) {
        self.port = port
        self.limits = limits
        slab = Slab(idleBytesMax: limits.idleBytesMax)
    }

    var handles: HandleTable {
        @inline(__always) _read { yield pinnedHandles.value }
        @inline(__always) _modify { yield &pinnedHandles.value }
    }

    var counts: LedgerCounts {
        @inline(__always) _read { yield pinnedCounts.value }
        @inline(__always) _modify { yield &pinnedCounts.value }
    }

    var resumptions: Ring<Resumption> {
        @inline(__always) _read { yield pinnedResumptions.value }
        @inline(__always) _modify { yield &pinnedResumptions.value }
    }

    /// The record an id names. The one place where stale and foreign ids are found out (clause C6).
    @inline(__always)
    func find(_ id: OperationID) throws(OperationError) -> Cell {
        guard id.ledger == number else {
            counts.foreignIDs += 1
            throw .foreignID
        }
        guard let cell = slab.find(id.index, generation: id.generation) else {
            counts.staleIDs += 1
            throw .staleID
        }
        return cell
    }

    @inline(__always)
    func id(of cell: Cell) -> OperationID {
        OperationID(generation: cell.record.generation, index: cell.record.index, ledger: number)
    }

    /// What the port is given to start or to cancel the operation.
    // SAFETY: the record is prepared or submitted, so its memory stays until the packet (L6).
    @inline(__always)
    func request(_ cell: Cell, inline: InlineCompletion = .never) -> PortRequest {
        unsafe PortRequest(
            block: cell.block, buffer: cell.buffer, address: cell.addressPointer, handle: cell.record.native, key: cell.record.key,
            inline: inline)
    }
}
