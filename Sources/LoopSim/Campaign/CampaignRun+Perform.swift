internal import LoopCore

extension CampaignRun {
    /// The seam's high level for code without tasks.
    func perform(_ line: CampaignLine, _ verb: PerformVerb, _ bytes: Int, _ wait: CampaignWait) {
        guard let handle = line.handle else { return }
        let expected = refusal(line, bytes)
        lastTag += 1
        let (tag, box) = (lastTag, PerformBox())
        var (timeout, then) = (UInt64(0), FollowUp.nothing)
        if case .callback(let microseconds, let after) = wait { (timeout, then) = (UInt64(microseconds) * 1000, after) }
        do throws(OperationError) {
            let id = try ops.perform(
                on: handle, capacity: bytes, tag: tag, timeout: timeout == 0 ? nil : .nanoseconds(Int64(timeout)),
                { op in decide(op, line, verb, box) },
                completed: { [self] id, end in
                    if let operation = box.operation { told(operation, id, end) } else { fail("a completion was told from within perform") }
                })
            require(expected == nil, "an operation was performed that should have been refused")
            let operation = CampaignOperation(id, line, tag: tag, capacity: bytes)
            box.operation = operation
            adopt(operation)
            began(operation, verb, box)
            waits(operation, timeout, then)
        } catch {
            if let expected { return require(error == expected, "perform was refused for another reason than the model's") }
            preparedEver += 1
            refusedPerform(error, line, verb)
        }
    }

    private func decide(_ op: consuming PreparedOp, _ line: CampaignLine, _ verb: PerformVerb, _ box: PerformBox) -> Decision {
        let canCallNatively = line.kind == .device && !line.isClosed
        switch verb {
        case .input: return op.read()
        case .output:
            box.write = line.writesEver
            line.writesEver += 1
            let count = op.capacity
            op.put(line.writtenBytes(box.write, count: count))
            return op.write(count: count, at: FileOffset(UInt64(CampaignLine.fileBytes + box.write * CampaignLine.fileBytesPerWrite)))
        case .remote: return op.remote { box.remote = $0 }
        case .nativePending where canCallNatively: return call(op, line, .simulatedPending, box)
        case .nativeDone where canCallNatively: return call(op, line, .none, box)
        case .nativeWarning where canCallNatively: return call(op, line, SimulatedStatus.moreData.error, box)
        case .nativeFailure where canCallNatively: return call(op, line, SimulatedStatus.deviceError.error, box)
        case .inline:
            let count = op.capacity
            op.put(line.fedBytes(0..<count))
            return op.completedInline(count: count)
        case .inlineFailure: return op.completedInline(count: 0, error: CampaignRun.refusalCode)
        case .abandon, .nativePending, .nativeDone, .nativeWarning, .nativeFailure: return op.abandon(CampaignRun.refusalCode)
        }
    }

    /// What this program's own calls fail with: a number that the simulated kernel never uses.
    private static let refusalCode = SystemCode(rawValue: 77)

    // SAFETY: the device is given the memory that the seam lends for this call, and nothing else.
    private func call(_ op: consuming PreparedOp, _ line: CampaignLine, _ code: SystemCode, _ box: PerformBox) -> Decision {
        unsafe op.submit { block, buffer in
            box.memory = unsafe LentMemory(
                PortRequest(
                    block: block, buffer: buffer, address: nil, handle: .invalid, key: HandleKey(slot: 0, generation: 0), inline: .never))
            return unsafe port.startNative(on: line.near, block, buffer, answering: code)
        }
    }

    private func began(_ operation: CampaignOperation, _ verb: PerformVerb, _ box: PerformBox) {
        operation.phase = .submitted
        switch verb {
        case .input:
            operation.memory = observer.started
            operation.kind = .read
            operation.isReceiving = true
            operation.line.reads.append(operation)
        case .output:
            operation.memory = observer.started
            operation.kind = .write
            operation.write = box.write
            operation.wanted = operation.capacity
            operation.offset = CampaignLine.fileBytes + box.write * CampaignLine.fileBytesPerWrite
            operation.line.writes.append(operation)
        case .remote:
            operation.kind = .remote
            if let remote = box.remote { remotes.append((operation, remote)) }
            box.remote = nil
        case .inline, .inlineFailure:
            operation.kind = .inline
            inlineEver += 1
            operation.phase = .completed
            operation.isReceiving = true
            let isFailure = verb == .inlineFailure
            operation.packet = Completion(
                count: isFailure ? 0 : operation.capacity, error: isFailure ? CampaignRun.refusalCode : .none,
                status: RawStatus(rawValue: isFailure ? 77 : 0), severity: isFailure ? .error : .success)
            operation.bytes = isFailure ? [] : operation.line.fedBytes(0..<operation.capacity)
        case .nativePending, .nativeDone, .nativeWarning, .nativeFailure, .abandon:
            operation.memory = box.memory
            operation.kind = .native
            operation.isReceiving = true
            require(verb != .nativeFailure && verb != .abandon, "an operation was performed whose call had failed")
        }
    }

    private func refusedPerform(_ error: OperationError, _ line: CampaignLine, _ verb: PerformVerb) {
        guard case .refused(let code) = error else { return fail("perform was refused for another reason than the model's") }
        let isOwn = code == CampaignRun.refusalCode && verb != .input && verb != .output && verb != .remote && verb != .inline
        let isDevice = code == SimulatedStatus.deviceError.error && verb == .nativeFailure
        let isClosed = code == SimulatedStatus.invalidHandle.error && line.isClosed
        let isFault = code == SimulatedStatus.noResources.error && faults.refusesOperations != .never
        require(isOwn || isDevice || isClosed || isFault, "perform was refused with code \(code.rawValue) for no reason")
    }

    /// Completes a remote operation: the packet is in the mail, and comes after those that were sent before.
    func completeRemote(_ place: Int, _ how: CampaignRemote) {
        let (operation, completion) = remotes.remove(at: place)
        inTheMail.append(operation)
        switch how {
        case .complete: completion.complete(count: CampaignRun.remoteCount)
        case .completeFromThread: port.simulatedWaker.asThread(4) { completion.complete(count: CampaignRun.remoteCount) }
        case .drop: break  // The last reference ends with this call, and that completes it as aborted.
        }
        // A second completion does nothing.
        if how != .drop { completion.complete(count: 1) }
    }

    /// A count that nothing else in a campaign has.
    static let remoteCount = 100_003
}

/// What passes between a `perform` and its function.
private final class PerformBox {
    var operation: CampaignOperation?
    var memory: LentMemory?
    var remote: RemoteCompletion?
    var write = 0

    init() {}
}

extension PreparedOp {
    /// Fills the front of the buffer.
    fileprivate borrowing func put(_ bytes: [UInt8]) {
        withBuffer { buffer in
            for place in bytes.indices { buffer.storeBytes(of: bytes[place], toByteOffset: place, as: UInt8.self) }
        }
    }
}
