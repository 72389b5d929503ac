/// Why the seam refused a call. Completion errors are not among them: those are values (``Completion/error``).
public enum OperationError: Error, Hashable, Sendable {
    /// The handle was never associated, or has been retired: associate it first. An operation on it would never complete.
    case notAssociated
    /// More bytes than one operation may carry, than its buffer holds, or fewer than none; or more ranges than one write may have.
    case capacityExceeded(requested: Int, limit: Int)
    /// A limit on operations in flight is reached. Wait for one to complete.
    case backpressure(CapacityLimit)
    /// The operation is not in a state for this call (clause C7).
    case wrongState(expected: OperationPhase, found: OperationPhase)
    /// The id is dead: its result was taken, or it was abandoned or freed.
    case staleID
    /// The id belongs to another loop.
    case foreignID
    /// Somebody waits for this operation already; there is one waiter for each.
    case alreadyAwaited
    /// The native call failed at once, so no packet is owed. The operation is gone.
    case refused(SystemCode)
    /// The task was cancelled before the native call was made.
    case cancelled
    /// The driver answers neither the operation nor its cancellation, and holds all that this handle may have in flight.
    case stuck
    /// The loop has been shut down.
    case closed
}

/// Where an operation is in its life; the diagram is in `OperationState`.
public enum OperationPhase: UInt8, Hashable, Sendable {
    /// No operation: the record is on a free list.
    case free
    case prepared
    case submitted
    case completed
    case orphaned
}

/// Which limit ``OperationError/backpressure(_:)`` speaks of; each is set in ``Limits``.
public enum CapacityLimit: UInt8, Hashable, Sendable {
    case operationsOnLoop
    case bytesOnLoop
    case operationsOnHandle
    case bytesOnHandle
}
