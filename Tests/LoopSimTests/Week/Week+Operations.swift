import LoopCore
import LoopSim

/// What an operation came to.
struct WeekResult {
    let number: UInt64
    var end: WaitEnd
    var severity = Severity.aborted
    var count = 0
    var bytes: [UInt8] = []
    /// Bytes that a failed read may have lost.
    var lost = 0

    init(_ number: UInt64, _ end: WaitEnd) {
        self.number = number
        self.end = end
    }

    init(_ number: UInt64, _ outcome: borrowing Outcome) {
        self.number = number
        end = outcome.end
        // What was given up on has no packet.
        if case .stuck = outcome.end { return }
        severity = outcome.completion.severity
        count = outcome.count
        bytes = outcome.copyBytes()
        lost = outcome.possiblyLost
    }
}

/// The ways to wait for an operation.
private enum WeekAwait: CaseIterable {
    case perform, performShielded, awaitOp, awaitEnd, awaitOpShielded

    var isShielded: Bool { self == .performShielded || self == .awaitOpShielded }
    var isByID: Bool { self != .perform && self != .performShielded }
}

extension Week {
    /// Performs an operation in one of the ways there are, judges its end, and hands on what it came to unless it is stuck. Throws what
    /// ends more than this wait, as ``wait(_:_:for:_:timeout:isParked:_:)`` does.
    func perform(
        _ verb: WeekVerb, _ line: WeekLine, _ handle: AssociatedHandle, capacity: Int, _ loop: isolated EventLoop, _ me: WeekFiber,
        _ take: (WeekResult) -> Void
    ) async throws {
        var way = WeekAwait.allCases[me.random.below(WeekAwait.allCases.count)]
        if case .remote = verb, way.isByID { way = .perform }
        // A shielded wait has no other end.
        let timeout = way.isShielded ? time(me) : someTimeout(me)
        let operation = plan(verb, line, me, timeout, isShielded: way.isShielded)
        tally.operations += 1
        let result: WeekResult
        do throws(OperationError) {
            result = try await self.result(of: operation, handle, capacity, timeout, way)
        } catch {
            end(operation)
            return try judge(error, operation)
        }
        end(operation)
        judge(result, operation)
        if case .stuck = result.end {} else { take(result) }
        try passOn(result.end, operation)
    }

    private func plan(_ verb: WeekVerb, _ line: WeekLine, _ me: WeekFiber, _ timeout: Duration?, isShielded: Bool) -> WeekOperation {
        operationsEver += 1
        let own = timeout.map { now.advanced(by: nanoseconds($0)) }
        let scope = isShielded ? nil : me.tightest
        let isScopes = scope.map { own ?? .distantFuture >= $0.deadline } ?? false
        return WeekOperation(
            operationsEver, verb, line, me, isShielded: isShielded, now, deadline: isScopes ? scope?.deadline : own,
            scope: isScopes ? scope : nil)
    }

    // SAFETY: the bytes are copied while they are lent.
    private func result(
        of operation: WeekOperation, _ handle: AssociatedHandle, _ capacity: Int, _ timeout: Duration?, _ way: WeekAwait
    ) async throws(OperationError) -> WeekResult {
        let number = operation.number
        switch way {
        case .perform:
            return WeekResult(
                number, try await ops.perform(on: handle, capacity: capacity, tag: number, timeout: timeout) { begin(operation, $0) })
        case .performShielded:
            return WeekResult(
                number,
                try await ops.performShielded(on: handle, capacity: capacity, tag: number, timeout: timeout) { begin(operation, $0) })
        case .awaitOp: return WeekResult(number, try await ops.awaitOp(start(operation, handle, capacity), timeout: timeout))
        case .awaitOpShielded:
            return WeekResult(number, try await ops.awaitOpShielded(start(operation, handle, capacity), timeout: timeout))
        case .awaitEnd:
            let id = try start(operation, handle, capacity)
            let end = try await ops.awaitEnd(of: id, timeout: timeout)
            if case .stuck = end { return WeekResult(number, end) }
            var result = WeekResult(number, end)
            try ops.withResult(id) { completion, bytes in
                (result.severity, result.count) = (completion.severity, completion.count)
                result.bytes = unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
            }
            if case .read = operation.verb, result.severity == .error || result.severity == .aborted { result.lost = result.count }
            return result
        }
    }

    /// The function of a `perform`.
    private func begin(_ operation: WeekOperation, _ op: consuming PreparedOp) -> Decision {
        enter(operation, op.id)
        switch operation.verb {
        case .read: return op.read()
        case .poll: return op.poll(.readable)
        case .write(let bytes):
            op.withBuffer { buffer in
                for (place, byte) in bytes.enumerated() { buffer.storeBytes(of: byte, toByteOffset: place, as: UInt8.self) }
            }
            return op.write(count: bytes.count)
        case .remote(let whenCancelled):
            return op.remote(whenCancelled: whenCancelled) { remotes.append((operation, $0)) }
        }
    }

    /// The same by id.
    // SAFETY: the memory is the operation's, and written to while it is prepared.
    private func start(_ operation: WeekOperation, _ handle: AssociatedHandle, _ capacity: Int) throws(OperationError) -> OperationID {
        let memory = unsafe try ops.prepare(handle, tag: operation.number, capacity: capacity)
        let id = unsafe memory.id
        enter(operation, id)
        switch operation.verb {
        case .read: try ops.read(id, inline: .allowed)
        case .poll: try ops.poll(id, .readable)
        case .write(let bytes):
            unsafe memory.buffer.copyBytes(from: bytes)
            try ops.write(id, count: bytes.count)
        case .remote: fail("a remote operation was prepared by id")
        }
        return id
    }

    private func enter(_ operation: WeekOperation, _ id: OperationID) {
        operation.id = id
        operation.isWaiting = true
        waiting.append(operation)
    }

    private func end(_ operation: WeekOperation) {
        operation.isWaiting = false
        waiting.removeAll { $0 === operation }
    }
}
