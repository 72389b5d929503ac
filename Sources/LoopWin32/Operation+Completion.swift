internal import LoopCore

extension Operation {
    /// What the packet says, now that the kernel has written the status.
    func completion(count: Int) -> Completion {
        let status = status
        switch record.verb {
        case .read where endsStream(status): return .success(0, status: status)
        case .poll where endsStream(status): return .ended
        case .poll:
            // Of a pipe: there are bytes, or there is a message that is longer than none.
            let severity = status.severity
            guard severity == .success || severity == .warning else { break }
            return .success(Int(record.interest.rawValue), status: status)
        // A wait for bytes that takes none is done when there is a message.
        case .read where record.length == 0 && status == .bufferOverflow: return .success(0, status: status)
        default: break
        }
        return translated(status, count: count)
    }

    /// The end of a file and the close of a pipe's other end are errors to the kernel. To a reader they are what ends every stream: success
    /// with no bytes. The raw status stands beside it (C5), and tells the end from a message that is empty.
    private func endsStream(_ status: RawStatus) -> Bool {
        !record.traits.contains(.isOnSocket) && (status == .endOfFile || status == .pipeBroken)
    }

    /// The status in the words of the interface that the operation belongs to: Winsock has its own for the same things.
    private func translated(_ status: RawStatus, count: Int) -> Completion {
        let severity = status.severity
        guard record.traits.contains(.isOnSocket), severity == .warning || severity == .error else {
            return Completion(status: status, count: count)
        }
        if status == .bufferOverflow { return Completion(count: count, error: .messageSize, status: status, severity: .warning) }
        // Winsock translates for an open socket. Of one that was closed meanwhile only the kernel's words are left.
        let code = callSocketResult()
        let isKnown = code != .none && code != .notASocket
        return Completion(count: count, error: isKnown ? code : Native.error(of: status), status: status, severity: severity)
    }
}
