public import LoopCore

/// A clause of the seam's contract, as numbered at ``CompletionPort`` and in the design.
public enum ContractClause: UInt8, Hashable, Sendable {
    case c1 = 1
    case c2 = 2
    case c3 = 3
    case c4 = 4
    case c5 = 5
    case c6 = 6
    case c10 = 10
    case c11 = 11
    case c13 = 13
    /// What ``CompletionPort/wait(into:for:)`` promises about time.
    case waits = 255

    /// "C1".
    public var name: String { self == .waits ? "Waits" : "C\(rawValue)" }
}

/// One breach of the contract, as ``CheckedPort`` saw it from outside.
public enum ContractBreach: Hashable, Sendable {
    case packetNotOwed
    case completedWithoutLeave
    case refusedWithoutReason
    case startedWhileOwed
    case writtenAfterPacket(capacity: Int)
    case cancelOfNothing
    case countOutOfRange(count: Int, limit: Int)
    case writtenBeyondCount(count: Int, byte: Int)
    case cutShort(count: Int, wanted: Int)
    case readinessNotAskedFor(found: Readiness, asked: Readiness)
    case errorOnSuccess(SystemCode)
    case failureWithoutError
    case packetWithoutBlock
    case pendingStatus
    case usedAfterClose
    case offThread
    case notAssociated(NativeHandle)
    case associatedTwice(NativeHandle)
    case dissociatedUnknown(NativeHandle)
    case acquiredWithoutAccept(NativeHandle)
    case batchOverrun(count: Int, capacity: Int)
    case late(nanoseconds: UInt64)
    case spinning(returns: Int)

    /// The clause that was broken.
    public var clause: ContractClause {
        switch self {
        case .packetNotOwed, .completedWithoutLeave, .refusedWithoutReason: .c1
        case .startedWhileOwed, .writtenAfterPacket: .c2
        case .cancelOfNothing: .c3
        case .countOutOfRange, .writtenBeyondCount, .cutShort, .readinessNotAskedFor: .c4
        case .errorOnSuccess, .failureWithoutError: .c5
        case .packetWithoutBlock, .pendingStatus: .c6
        case .usedAfterClose: .c10
        case .offThread: .c11
        case .notAssociated, .associatedTwice, .dissociatedUnknown, .acquiredWithoutAccept: .c13
        case .batchOverrun, .late, .spinning: .waits
        }
    }
}

extension ContractBreach: CustomStringConvertible {
    public var description: String { "\(clause.name): \(sentence)" }

    private var sentence: String {
        switch self {
        case .packetNotOwed: "a packet came for an operation that owes none: its packet came before, or its call was refused or completed"
        case .completedWithoutLeave: "a verb answered with its result where the request allowed only a packet"
        case .refusedWithoutReason: "a verb was refused with code zero, which is success"
        case .startedWhileOwed: "a verb was started on a control block whose packet is still owed"
        case .writtenAfterPacket(let capacity): "a buffer of \(capacity) bytes was written to after its packet had been handed out"
        case .cancelOfNothing: "a cancel was accepted for an operation that owes no packet"
        case .countOutOfRange(let count, let limit): "a packet counts \(count) bytes of an operation of \(limit)"
        case .writtenBeyondCount(let count, let byte): "a packet counts \(count) bytes, and byte \(byte) of its buffer was written too"
        case .cutShort(let count, let wanted): "a write succeeded with \(count) of \(wanted) bytes"
        case .readinessNotAskedFor(let found, let asked): "a poll for \(asked.rawValue) succeeded with \(found.rawValue)"
        case .errorOnSuccess(let code): "a success carries error \(code.rawValue)"
        case .failureWithoutError: "a failure carries no error"
        case .packetWithoutBlock: "a packet with the key of operations has no control block"
        case .pendingStatus: "a packet says that its operation is still pending"
        case .usedAfterClose: "the port was used after it was closed"
        case .offThread: "the port was used off the thread it was made on"
        case .notAssociated(let handle): "a verb was started on handle \(handle.rawValue) under a key that is not associated"
        case .associatedTwice(let handle): "handle \(handle.rawValue) was associated under a key that is in use"
        case .dissociatedUnknown(let handle): "handle \(handle.rawValue) was dissociated under a key that is not associated"
        case .acquiredWithoutAccept(let handle): "a packet brought handle \(handle.rawValue) to an operation that accepts none"
        case .batchOverrun(let count, let capacity): "a wait says that it filled \(count) places of \(capacity)"
        case .late(let nanoseconds): "a wait was over \(nanoseconds) ns after its bound"
        case .spinning(let returns): "\(returns) waits returned early and empty within one millisecond: a deadline is rounded down"
        }
    }
}
