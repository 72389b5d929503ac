internal import LoopCore

extension CampaignRun {
    /// A call with a live id, in whatever state: the model knows what it must answer (C7).
    func call(_ operation: CampaignOperation, _ call: CampaignCall) {
        switch call {
        case .state: break  // Compared after every step.
        case .cancel: cancel(operation)
        case .cancelWait: cancelWait(operation)
        case .take: take(operation, keep: false)
        case .hold: take(operation, keep: held.count < 3)
        case .takeForCall: takeForCall(operation)
        case .free: free(operation)
        case .abandon: abandon(operation)
        case .submitted: submitted(operation)
        case .renew: renew(operation)
        case .wait(let microseconds, let then): wait(operation, .callback(timeoutMicroseconds: microseconds, then))
        }
    }

    private func cancel(_ operation: CampaignOperation) {
        do throws(OperationError) {
            let isRequested = try ops.cancel(operation.id)
            switch operation.phase {
            case .submitted: isAsked(operation)  // Either answer is right; the packet decides (C3).
            case .completed: require(!isRequested, "a cancel went out for an operation that has completed")
            default: fail("a cancel was accepted for an operation that is \(operation.phase.name)")
            }
        } catch {
            let expected = OperationError.wrongState(expected: .submitted, found: operation.phase)
            require(error == expected, "a cancel was refused for another reason than the model's")
        }
    }

    /// Whoever waits has the grace from here on, unless an earlier request began it.
    private func isAsked(_ operation: CampaignOperation) {
        operation.isCancelled = true
        guard operation.isAwaited, !operation.isEnding else { return }
        let mayBeEnding = operation.isWaitCancelled || operation.line.phase != .associated
        startGrace(operation, isFirst: !mayBeEnding && operation.deadline.map { port.clock.now < $0 } ?? true)
    }

    private func startGrace(_ operation: CampaignOperation, isFirst: Bool) {
        let end = port.clock.now.advanced(by: limits.cancelGraceNanoseconds)
        operation.isEnding = true
        operation.promise = Promise(due: end)
        operation.graceEnd = isFirst ? end : nil
    }

    /// What the cancellation of a waiting task does: the wait has the grace from the next turn on.
    private func cancelWait(_ operation: CampaignOperation) {
        ops.cancelWait(operation.id)
        // Who waits later is not meant.
        guard operation.hasWaiter else { return }
        operation.isWaitCancelled = true
        guard operation.phase == .submitted, !operation.isEnding else { return }
        operation.promise = Promise(due: port.clock.now)
    }

    /// Why a result cannot be had.
    func refusalToTake(_ operation: CampaignOperation) -> OperationError? {
        if operation.hasWaiter { return .alreadyAwaited }
        return operation.phase == .completed ? nil : .wrongState(expected: .completed, found: operation.phase)
    }

    func take(_ operation: CampaignOperation, keep: Bool) {
        if let refusal = refusalToTake(operation) {
            return expect(refusal, "result") { () throws(OperationError) in try ops.result(operation.id) }
        }
        do throws(OperationError) {
            let outcome = try ops.result(operation.id)
            compare(operation, outcome.completion, outcome.copyBytes())
            require(outcome.possiblyLost == operation.possiblyLost, "a result says that \(outcome.possiblyLost) bytes may be lost")
            if keep { held.append(HeldOutcome(outcome, operation.exposed)) }
        } catch {
            fail("a result was refused: \(operation.phase.name)")
        }
        closeAcquired(operation)
        bury(operation)
    }

    private func takeForCall(_ operation: CampaignOperation) {
        if let refusal = refusalToTake(operation) {
            return expect(refusal, "withResult") { () throws(OperationError) in
                try ops.withResult(operation.id) { _, _ in fail("a function was called without a result") }
            }
        }
        do throws(OperationError) {
            try ops.withResult(operation.id) { completion, bytes in compare(operation, completion, bytes.copied) }
        } catch {
            fail("a result was refused: \(operation.phase.name)")
        }
        closeAcquired(operation)
        bury(operation)
    }

    private func compare(_ operation: CampaignOperation, _ completion: Completion, _ bytes: [UInt8]) {
        require(completion == operation.packet, "a result is not what the packet said")
        require(bytes == operation.exposed, "a result shows \(bytes.count) bytes, or others than its packet brought")
    }

    /// An accepted connection is the taker's.
    func closeAcquired(_ operation: CampaignOperation) {
        if let acquired = operation.packet?.acquired, acquired != .invalid { port.close(acquired) }
    }

    func free(_ operation: CampaignOperation) {
        if let refusal = refusalToTake(operation) {
            return expect(refusal, "free") { () throws(OperationError) in try ops.free(operation.id) }
        }
        do throws(OperationError) { try ops.free(operation.id) } catch { fail("a completed operation could not be freed") }
        bury(operation)
    }

    // SAFETY: the word is true: no native call has been made for an operation that is prepared.
    func abandon(_ operation: CampaignOperation) {
        guard operation.phase == .prepared else {
            return expect(.wrongState(expected: .prepared, found: operation.phase), "abandon") { () throws(OperationError) in
                unsafe try ops.abandon(operation.id)
            }
        }
        do throws(OperationError) { unsafe try ops.abandon(operation.id) } catch { fail("a prepared operation could not be abandoned") }
        bury(operation)
    }

    /// Submitted twice, or after the end. For one that is prepared it would be a lie, so then nobody says it.
    // SAFETY: it is refused.
    private func submitted(_ operation: CampaignOperation) {
        guard operation.phase != .prepared else { return }
        expect(.wrongState(expected: .prepared, found: operation.phase), "submitted") { () throws(OperationError) in
            unsafe try ops.submitted(operation.id)
        }
    }

    /// Waits, if the step says so.
    func wait(_ operation: CampaignOperation, _ wait: CampaignWait) {
        guard case .callback(let microseconds, let then) = wait else { return }
        let timeout: Duration? = microseconds == 0 ? nil : .microseconds(Int64(microseconds))
        var expected: OperationError?
        if operation.hasWaiter {
            expected = .alreadyAwaited
        } else if operation.phase != .submitted && operation.phase != .completed {
            expected = .wrongState(expected: .submitted, found: operation.phase)
        }
        do throws(OperationError) {
            try ops.onCompletion(operation.id, timeout: timeout) { [self] id, end in told(operation, id, end) }
            require(expected == nil, "a wait was accepted that should have been refused")
            waits(operation, UInt64(microseconds) * 1000, then)
        } catch {
            require(error == expected, "a wait was refused for another reason than the model's")
        }
    }

    /// Enters a wait into the model.
    func waits(_ operation: CampaignOperation, _ timeoutNanoseconds: UInt64, _ then: FollowUp) {
        operation.isAwaited = true
        operation.isEnding = false
        operation.isWaitCancelled = false
        operation.then = then
        operation.timesTold = 0
        let deadline = timeoutNanoseconds == 0 ? nil : port.clock.now.advanced(by: timeoutNanoseconds)
        operation.deadline = deadline
        operation.graceEnd = nil
        if operation.phase == .submitted, operation.isAskedToEnd {
            operation.deadline = nil
            return startGrace(operation, isFirst: operation.line.phase == .associated)
        }
        operation.promise = operation.phase == .completed ? Promise(due: port.clock.now) : deadline.map { Promise(due: $0) }
    }

    /// A call with an id whose operation is over: refused in one place, and counted (C6).
    func callDead(_ id: OperationID, _ call: CampaignCall) {
        staleIDs += 1
        expect(.staleID, "a call with a dead id") { () throws(OperationError) in try make(call, id) }
    }

    /// A call with another loop's id.
    func callForeign(_ call: CampaignCall) {
        foreignIDs += 1
        expect(.foreignID, "a call with another loop's id") { () throws(OperationError) in try make(call, foreign.id) }
    }

    // SAFETY: the ids name nothing here, so every call is refused.
    private func make(_ call: CampaignCall, _ id: OperationID) throws(OperationError) {
        switch call {
        case .state: _ = try ops.state(id)
        case .cancel, .cancelWait: _ = try ops.cancel(id)
        case .take, .hold: _ = try ops.result(id)
        case .takeForCall: try ops.withResult(id) { _, _ in }
        case .free: try ops.free(id)
        case .abandon: unsafe try ops.abandon(id)
        case .submitted: unsafe try ops.submitted(id)
        case .renew:
            guard let kind = lines.lazy.compactMap({ $0.renewals }).first else {
                _ = try ops.state(id)
                return
            }
            _ = try ops.renew(id, as: kind)
        case .wait: try ops.onCompletion(id) { _, _ in }
        }
    }

    /// Results that were kept are still what they were (C2), and give their memory back.
    func dropHeld() {
        for outcome in held { require(outcome.isIntact, "the bytes of a result changed while it was kept") }
        held = []
    }
}

extension RawSpan {
    /// The bytes, copied.
    fileprivate var copied: [UInt8] {
        // SAFETY: the pointer does not leave the call.
        unsafe withUnsafeBytes { bytes in unsafe [UInt8](bytes) }
    }
}
