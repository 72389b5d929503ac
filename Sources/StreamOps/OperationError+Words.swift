package import LoopCore

extension OperationError {
    /// What happened, for a sentence that says "the loop did not take it: …".
    package var words: String {
        switch self {
        case .refused(let code): "the system refused it with code \(code.rawValue)"
        case .backpressure: "as many operations are in flight as its limits allow"
        case .closed: "it has been shut down"
        case .stuck: "the driver holds all that may be in flight"
        case .notAssociated: "the handle is not associated"
        case .capacityExceeded(let requested, let limit): "\(requested) bytes are more than \(limit)"
        case .wrongState, .staleID, .foreignID, .alreadyAwaited: "the operation was used out of order"
        case .cancelled: "the task is cancelled"
        }
    }
}
