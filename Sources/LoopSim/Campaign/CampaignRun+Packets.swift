internal import LoopCore

extension CampaignRun {
    /// A packet is about to be settled. From here on its operation has completed, or an orphan's memory has come home.
    func packetCame(_ block: UInt, _ completion: Completion) {
        guard !isEnded else { return }
        packets += 1
        let found = operations.first { $0.block == block && ($0.phase == .submitted || $0.phase == .orphaned) }
        guard let operation = found else { return fail("a packet came for an operation that the model does not have in flight") }
        adoptOrphan(operation)
        operation.settle(completion)
        if operation.kind == .remote {
            let isRight = completion == Completion(count: CampaignRun.remoteCount) || completion == port.abortedCompletion
            require(isRight, "a remote operation counts \(completion.count)")
        }
        settleReads(operation.line)
        if operation.phase == .orphaned {
            operation.line.orphansReturned += 1
            return bury(operation)
        }
        operation.phase = .completed
        if operation.isAwaited { operation.promise = Promise(due: port.clock.now) }
    }

    /// A remote completion is posted to the port: now its block is known.
    func remoteWasPosted(_ block: UInt) {
        guard !isEnded else { return }
        guard !inTheMail.isEmpty else { return fail("a packet was posted that nobody sent") }
        inTheMail.removeFirst().remoteBlock = block
    }

    /// Accounts for reads from the front on, as far as their packets are in: each must have the bytes that follow those of the one before.
    func settleReads(_ line: CampaignLine) {
        while let read = line.reads.first, let packet = read.packet {
            line.reads.removeFirst()
            let bytes = read.kind == .attempt && packet.severity == .success ? read.attempted : read.bytes
            require(bytes.count == packet.count, "a read of \(read.capacity) counts \(packet.count) bytes")
            switch line.kind {
            case .stream:
                let expected = line.fedBytes(line.consumed..<(line.consumed + packet.count))
                require(bytes == expected, "\(bytes.count) bytes from place \(line.consumed) on are not those that were fed there")
                line.consumed += packet.count
            case .datagram: if packet.count > 0 { settleMessage(read, bytes, packet) }
            case .file:
                let place = read.offset..<max(read.offset, min(CampaignLine.fileBytes, read.offset + packet.count))
                require(bytes.prefix(place.count).elementsEqual(line.fedBytes(place)), "a file's bytes are not those of the place")
            case .device: require(bytes.allSatisfy { $0 == CampaignRun.deviceByte }, "a device's bytes are not those it handed out")
            case .listener: break
            }
        }
    }

    private func settleMessage(_ read: CampaignOperation, _ bytes: [UInt8], _ packet: Completion) {
        let line = read.line
        guard !line.messages.isEmpty else { return fail("a message was received that nobody sent") }
        let length = line.messages.removeFirst()
        let expected = line.fedBytes(line.messagePlaces(line.messagesConsumed, min(length, read.capacity)))
        require(bytes == expected, "a message of \(length) bytes was received as another")
        let isCut = length > read.capacity && read.kind == .read
        require(!isCut || packet.severity != .success, "a message was cut without a warning")
        line.messagesConsumed += 1
    }

    /// A waiter is told.
    func told(_ operation: CampaignOperation, _ id: OperationID, _ end: WaitEnd) {
        operation.timesTold += 1
        require(id == operation.id, "a waiter was told of another operation")
        require(operation.isAwaited && operation.timesTold == 1, "a waiter was told twice")
        operation.isAwaited = false
        operation.promise = nil
        let now = port.clock.now
        let isLate = operation.deadline.map { now >= $0 } ?? false
        switch end {
        case .finished:
            require(operation.phase == .completed, "a wait finished and its operation is \(operation.phase.name)")
            let isAborted = operation.packet?.severity == .aborted
            require(!operation.isEnding || !isAborted, "a wait that was asked to end finished, and the packet says that it was aborted")
        case .timedOut:
            require(isLate, "a wait timed out before its deadline")
            require(operation.phase == .completed && operation.packet?.severity == .aborted, "success did not beat the deadline")
        case .cancelled:
            require(isEnding || operation.isWaitCancelled || operation.isAskedToEnd, "a wait was cancelled, and nobody cancelled it")
            require(operation.packet?.severity == .aborted, "success did not beat the cancel")
        case .stuck(let stuck):
            require(stuck.tag == operation.tag && stuck.handle == operation.line.near, "a stuck operation is not named")
            require(mayBeStuck(operation), "an operation was given up on whose packet would have come")
            require(isEnding || operation.isWaitCancelled || operation.isAskedToEnd || isLate, "an operation was given up on unasked")
            becomesOrphan(operation)
        }
        if operation.phase == .completed, !isEnding { follow(operation) }
    }

    /// What a callback does, and it may do anything but turn the loop.
    private func follow(_ operation: CampaignOperation) {
        let line = operation.line
        // Siblings may have been given up on in the same phase, their waiters yet to be told.
        for sibling in operations { adoptOrphan(sibling) }
        switch operation.then {
        case .nothing: break
        case .take: take(operation, keep: false)
        case .free: free(operation)
        case .readAgain: if line.phase == .associated { begin(line, .input, operation.capacity, .none) }
        case .cancelSibling:
            if let sibling = operations.first(where: { $0.line === line && $0.phase == .submitted }) { call(sibling, .cancel) }
        case .takeSibling:
            if let sibling = operations.first(where: { $0.line === line && $0 !== operation }) { call(sibling, .take) }
        case .retire: retire(line)
        }
    }

    // MARK: orphans

    /// Whether the kernel of this campaign may have lost the operation; or had its packet ready when the loop, stopped for longer than
    /// the grace, looked once more before it gave up, and that look returned early with nothing.
    func mayBeStuck(_ operation: CampaignOperation) -> Bool {
        operation.kind == .remote || faults.getsStuck != .never || faults.refusesCancels != .never || port.isAnswering(operation.block)
    }

    private func becomesOrphan(_ operation: CampaignOperation) {
        // The end of a retire may be told before its operations' waiters are.
        guard operation.phase != .orphaned else { return }
        let mayGiveUp = operation.graceEnd.map { port.clock.now >= $0 } ?? true
        require(mayGiveUp || isEnding || operation.line.phase != .associated, "an operation was given up on within its grace")
        operation.phase = .orphaned
        orphansEver += 1
    }

    /// The ledger gives an operation up before its waiter is told, and one that nobody waits for without a word.
    func adoptOrphan(_ operation: CampaignOperation) {
        guard operation.phase == .submitted, let phase = try? ops.state(operation.id), phase == .orphaned else { return }
        let now = port.clock.now
        let isAsked = operation.isWaitCancelled || operation.isCancelled
        let isLate = operation.isAwaited && (isAsked || operation.deadline.map { now >= $0 } ?? false)
        let isRetired = operation.line.phase != .associated && operation.line.retirement.map { now >= $0.due } ?? true
        require(isLate || isRetired || isEnding, "an operation was given up on before its deadline")
        require(mayBeStuck(operation), "an operation was given up on whose packet would have come")
        becomesOrphan(operation)
    }
}
