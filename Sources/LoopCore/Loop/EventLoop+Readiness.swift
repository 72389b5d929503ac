internal import _Concurrency

// Readiness, for libraries that make their own calls on their own descriptors.

extension EventLoop {
    /// Waits until a read from a handle would not block, or would tell of its end or of an error. On Windows that is for sockets.
    ///
    /// ```swift
    /// while library.wantsToRead { try await loop.readable(NativeHandle(rawValue: library.socket)) }
    /// ```
    ///
    /// The handle stays its owner's: nothing is read from it, and it may be in blocking mode. Any number of tasks may wait for the same
    /// one. It MUST NOT be closed while somebody waits, and none of the loop's adapters may have it.
    @discardableResult
    public func readable(_ handle: NativeHandle, timeout: Duration? = nil) async throws(ReadinessError) -> Readiness {
        try await ready(handle, .readable, timeout)
    }

    /// Waits until a write to a handle would not block, or would tell of an error. Otherwise as ``readable(_:timeout:)``.
    @discardableResult
    public func writable(_ handle: NativeHandle, timeout: Duration? = nil) async throws(ReadinessError) -> Readiness {
        try await ready(handle, .writable, timeout)
    }

    private func ready(
        _ handle: NativeHandle, _ interest: Readiness, _ timeout: Duration?
    ) async throws(ReadinessError) -> Readiness {
        let core = core
        let watched = try core.watched.enter(handle, core.ledger)
        let outcome: Outcome
        do throws(OperationError) {
            outcome = try await Operations(loop: self, core: core).perform(on: watched, timeout: timeout) { op in op.poll(interest) }
        } catch {
            core.watched.leave(handle, core.ledger)
            throw ReadinessError(error)
        }
        core.watched.leave(handle, core.ledger)
        switch outcome.end {
        case .finished where outcome.error == .none: return Readiness(rawValue: UInt8(truncatingIfNeeded: outcome.count))
        case .finished: throw core.isClosing ? .closed : .system(outcome.error)
        case .timedOut: throw .timedOut
        case .cancelled: throw core.isClosing ? .closed : .cancelled
        case .stuck: throw .stuck
        }
    }
}

/// Why a wait for a handle's readiness ended without it.
public enum ReadinessError: Error, Hashable, Sendable {
    /// The loop did not take the handle.
    case association(AssociationError)
    /// The time was up.
    case timedOut
    /// The task was cancelled.
    case cancelled
    /// The loop was shut down.
    case closed
    /// The system answers neither the question nor its cancel.
    case stuck
    /// As many operations are in flight as the loop's limits allow.
    case backpressure(CapacityLimit)
    /// The system refused: what has no readiness, on Windows whatever is no socket.
    case system(SystemCode)

    init(_ error: OperationError) {
        self =
            switch error {
            case .cancelled: .cancelled
            case .stuck: .stuck
            case .refused(let code): .system(code)
            case .backpressure(let limit): .backpressure(limit)
            default: .closed
            }
    }
}

/// Handles of others' that tasks wait for: associated from the first waiter to the last.
final class WatchTable {
    private var entries: [NativeHandle: (handle: AssociatedHandle, waiters: Int)] = [:]

    func enter(_ handle: NativeHandle, _ ledger: Ledger) throws(ReadinessError) -> AssociatedHandle {
        if let known = entries[handle] {
            entries[handle] = (known.handle, known.waiters + 1)
            return known.handle
        }
        do throws(AssociationError) {
            let associated = try ledger.associate(handle, .pollsOnly)
            entries[handle] = (associated, 1)
            return associated
        } catch {
            throw error == .closed ? .closed : .association(error)
        }
    }

    func leave(_ handle: NativeHandle, _ ledger: Ledger) {
        guard let known = entries[handle] else { return }
        if known.waiters > 1 {
            entries[handle] = (known.handle, known.waiters - 1)
        } else {
            entries[handle] = nil
            // Nothing of it is in flight: at once.
            try? ledger.beginRetire(known.handle, nil)
        }
    }
}
