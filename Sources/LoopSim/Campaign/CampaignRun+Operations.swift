internal import LoopCore

extension CampaignRun {
    /// Prepares, starts and perhaps waits: the ordinary way.
    func begin(_ line: CampaignLine, _ verb: CampaignVerb, _ bytes: Int, _ wait: CampaignWait) {
        guard let operation = prepare(line, bytes) else { return }
        start(operation, verb)
        if operation.phase != .free { self.wait(operation, wait) }
    }

    // SAFETY: the memory is the operation's until its packet, and is touched through `LentMemory` while it is.
    func prepare(_ line: CampaignLine, _ bytes: Int) -> CampaignOperation? {
        guard let handle = line.handle else { return nil }
        let expected = refusal(line, bytes)
        lastTag += 1
        do throws(OperationError) {
            let memory = unsafe try ops.prepare(handle, tag: lastTag, capacity: bytes)
            require(expected == nil, "an operation was prepared that should have been refused")
            let operation = CampaignOperation(unsafe memory.id, line, tag: lastTag, capacity: bytes)
            operation.memory = unsafe LentMemory(memory)
            adopt(operation)
            return operation
        } catch {
            require(error == expected, "a preparation was refused for another reason than the model's")
            return nil
        }
    }

    func adopt(_ operation: CampaignOperation) {
        preparedEver += 1
        operations.append(operation)
    }

    /// Why `prepare` must refuse, in the order in which it looks (C12).
    func refusal(_ line: CampaignLine, _ bytes: Int) -> OperationError? {
        guard line.phase == .associated else { return .notAssociated }
        guard bytes <= Limits.capacityMax else { return .capacityExceeded(requested: bytes, limit: Limits.capacityMax) }
        var (onLine, bytesOnLine, orphans, allBytes) = (0, 0, 0, 0)
        for operation in operations {
            allBytes += operation.capacity
            guard operation.line === line else { continue }
            onLine += 1
            bytesOnLine += operation.capacity
            if operation.phase == .orphaned { orphans += 1 }
        }
        let bytesMax = min(limits.bytesMax, limits.bytesPerHandleMax)
        if bytes > bytesMax { return .capacityExceeded(requested: bytes, limit: bytesMax) }
        if operations.count >= limits.operationsMax { return .backpressure(.operationsOnLoop) }
        if allBytes + bytes > limits.bytesMax { return .backpressure(.bytesOnLoop) }
        guard onLine >= limits.operationsPerHandleMax || bytesOnLine + bytes > limits.bytesPerHandleMax else { return nil }
        if onLine > 0, orphans == onLine { return .stuck }
        return onLine >= limits.operationsPerHandleMax ? .backpressure(.operationsOnHandle) : .backpressure(.bytesOnHandle)
    }

    /// Starts an operation, in whatever state it is: one that is not prepared must be refused by name (C7).
    func start(_ operation: CampaignOperation, _ verb: CampaignVerb) {
        let line = operation.line
        guard operation.phase == .prepared else {
            return expect(.wrongState(expected: .prepared, found: operation.phase), "a verb") { () throws(OperationError) in
                try startVerb(operation, verb)
            }
        }
        if verb == .native, line.kind == .device, !line.isClosed { return startNative(operation) }
        guard line.phase == .associated else {
            return expect(.notAssociated, "a verb on a retired handle") { () throws(OperationError) in try startVerb(operation, verb) }
        }
        if verb == .output || verb == .gather { fill(operation) }
        do throws(OperationError) {
            let started = try startVerb(operation, verb)
            operation.memory = observer.started ?? operation.memory
            note(operation, verb)
            if started == .waiting { kindWaits(for: operation) }
            require(!line.isClosed, "an operation was started on a handle that is closed")
            if started == .done { doneInline(operation) }
        } catch {
            refused(operation, error)
        }
    }

    /// Gives a write its bytes and its place.
    private func fill(_ operation: CampaignOperation) {
        let line = operation.line
        operation.write = line.writesEver
        line.writesEver += 1
        operation.wanted = line.kind == .file ? min(operation.capacity, CampaignLine.fileBytesPerWrite) : operation.capacity
        operation.offset = CampaignLine.fileBytes + operation.write * CampaignLine.fileBytesPerWrite
        operation.memory?.put(line.writtenBytes(operation.write, count: operation.wanted)[...])
    }

    @discardableResult
    private func startVerb(_ operation: CampaignOperation, _ verb: CampaignVerb) throws(OperationError) -> Started {
        let (id, kind, count) = (operation.id, operation.line.kind, operation.wanted)
        let offset = FileOffset(UInt64(operation.offset))
        let inline = operation.inline
        switch (verb, kind) {
        case (.input, .datagram), (.native, .datagram): return try ops.receive(id, inline: inline)
        case (.input, .listener), (.native, .listener): return try ops.accept(id, inline: inline)
        case (.input, .file), (.native, .file): return try ops.read(id, at: FileOffset(operation.tag % 200), inline: inline)
        case (.input, _), (.native, _): return try ops.read(id, inline: inline)
        case (.output, .datagram), (.gather, .datagram): return try ops.send(id, count: count, inline: inline)
        case (.output, _): return try ops.write(id, count: count, at: offset, inline: inline)
        case (.gather, _): return try ops.write(id, segments: [0..<(count / 3), (count / 3)..<count], at: offset, inline: inline)
        case (.poll, _): return try ops.poll(id, [.readable, .writable], inline: inline)
        case (.attempt, _):
            let (port, capacity) = (port, operation.capacity)
            return try ops.attempt(id, inline: inline) { handle in
                guard let bytes = port.drain(handle, max: capacity) else { return .wouldBlock(.read) }
                operation.attempted = bytes
                return .done(count: bytes.count)
            }
        }
    }

    /// The verb was answered with the result: that is the operation's packet, and no other will come.
    private func doneInline(_ operation: CampaignOperation) {
        require(operation.inline == .allowed, "a verb finished inline without leave")
        guard let completion = observer.inline else { return fail("a verb finished inline, and the port did not say so") }
        operation.settle(completion)
        settleReads(operation.line)
        operation.phase = .completed
        inlineEver += 1
    }

    /// Enters a started operation into what the model knows of its line.
    func note(_ operation: CampaignOperation, _ verb: CampaignVerb) {
        operation.phase = .submitted
        let line = operation.line
        switch verb {
        case .input, .native:
            guard line.kind != .listener else { return }
            operation.kind = .read
            operation.isReceiving = true
            operation.offset = Int(operation.tag % 200)
            line.reads.append(operation)
        case .attempt:
            operation.kind = .attempt
            operation.isReceiving = true
            line.reads.append(operation)
        case .output, .gather:
            operation.kind = .write
            line.writes.append(operation)
        case .poll: break
        }
    }

    /// An adapter's own call, in the four ways it can answer.
    // SAFETY: the word is true: the device was asked, and answered this.
    private func startNative(_ operation: CampaignOperation) {
        let line = operation.line
        let codes: [SystemCode] = [.simulatedPending, .none, SimulatedStatus.moreData.error, SimulatedStatus.deviceError.error]
        let code = codes[Int(operation.tag % 4)]
        guard let memory = operation.memory else { return fail("a prepared operation has no memory") }
        let answer = memory.startNative(on: port, line.near, answering: code)
        do throws(OperationError) {
            guard case .owesPacket = port.classify(answer) else {
                unsafe try ops.abandon(operation.id)
                return bury(operation)
            }
            checked.expectNativePacket()
            operation.kind = .native
            operation.isReceiving = true
            operation.isTooLate = line.phase == .retiring && !hasSubmitted(line)
            operation.phase = .submitted
            unsafe try ops.submitted(operation.id)
            kindWaits(for: operation)
        } catch {
            fail("a native call could not be reported")
        }
    }

    /// Whether a retire of the line has something to wait for.
    private func hasSubmitted(_ line: CampaignLine) -> Bool {
        operations.contains { $0.line === line && $0.phase == .submitted && !$0.isTooLate }
    }

    /// The call failed at once: the operation is gone (C1).
    func refused(_ operation: CampaignOperation, _ error: OperationError) {
        guard case .refused(let code) = error else { return fail("a verb was refused for another reason than the model's") }
        let isClosed = operation.line.isClosed && code == SimulatedStatus.invalidHandle.error
        let isFault = faults.refusesOperations != .never && code == SimulatedStatus.noResources.error
        require(isClosed || isFault, "the port refused an operation with code \(code.rawValue) for no reason")
        bury(operation)
    }

    /// The id is dead from here on.
    func bury(_ operation: CampaignOperation) {
        operation.phase = .free
        operations.removeAll { $0 === operation }
        if dead.count == 8 { dead.removeFirst() }
        dead.append(operation.id)
    }

    func expect<R: ~Copyable>(_ expected: OperationError, _ what: String, _ call: () throws(OperationError) -> R) {
        do throws(OperationError) {
            _ = try call()
            fail("\(what) was not refused")
        } catch {
            require(error == expected, "\(what) was refused for another reason than the model's")
        }
    }
}
