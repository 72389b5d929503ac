internal import LoopCore

extension CampaignRun {
    /// Makes an object of a kind and associates its near end, if there is room.
    func open(_ kind: LineKind) {
        guard makeRoom() else { return }
        lastTag += 1
        let line = makeLine(kind, salt: SimulatedRandom.mix(lastTag))
        lines.append(line)
        associate(line)
    }

    /// Says whether there is room for one more line. Where there are many, one that is of no use any more makes room.
    private func makeRoom() -> Bool {
        let isIdle: (CampaignLine) -> Bool = { !$0.isClosed && ($0.phase == .retired || $0.phase == .unassociated) }
        if lines.count >= CampaignRun.linesMax, let line = lines.first(where: isIdle) {
            if line.phase == .unassociated { line.phase = .retired }
            close(line)
        }
        return lines.count < CampaignRun.linesMax
    }

    /// Two more than may be associated, so that the limit is met.
    private static let linesMax = 7

    private func makeLine(_ kind: LineKind, salt: UInt64) -> CampaignLine {
        func line(_ near: NativeHandle, _ far: NativeHandle, _ address: SocketAddress?) -> CampaignLine {
            CampaignLine(kind, near: near, far: far, address: address ?? SocketAddress(), salt: salt)
        }
        switch kind {
        case .stream:
            let (near, far) = port.makeStreamPair(bytesMax: 100)
            return line(near, far, nil)
        case .datagram:
            let (near, far) = port.makeDatagramPair(messagesMax: 3)
            return line(near, far, nil)
        case .file:
            let file = line(port.makeFile([]), .invalid, nil)
            port.setContents(file.near, file.fedBytes(0..<CampaignLine.fileBytes))
            return file
        case .device: return line(port.makeDevice(), .invalid, nil)
        case .listener:
            let (near, address) = port.makeListener(backlogMax: 2)
            return line(near, .invalid, address)
        }
    }

    /// Associates a line that is not, or tries one that is. While it retires either answer would be right, so then nobody asks.
    func associate(_ line: CampaignLine) {
        guard !line.isClosed, line.phase != .retiring else { return }
        guard line.phase == .associated || !operations.contains(where: { $0.line === line }) else { return }
        var expected: AssociationError?
        if slotsInUse >= limits.handlesMax {
            expected = .tooMany(limit: limits.handlesMax)
        } else if line.phase == .associated {
            expected = .alreadyAssociated
        }
        do throws(AssociationError) {
            line.handle = try ops.associate(line.near)
            line.renewals = nil
            require(expected == nil, "a handle was associated that should have been refused")
            line.phase = .associated
            line.retirements = 0
        } catch {
            if let expected { return require(error == expected, "a handle was refused for another reason than the model's") }
            let mayRefuse = faults.refusesAssociations != .never && error == .system(SimulatedStatus.noResources.error)
            require(mayRefuse, "a handle was refused for no reason")
        }
    }

    /// Slots of the ledger's table: one for each association, and for each former one that a record still names.
    var slotsInUse: Int {
        var count = 0
        for line in lines where line.phase == .associated || operations.contains(where: { $0.line === line }) { count += 1 }
        return count
    }

    func retire(_ line: CampaignLine) {
        guard let handle = line.handle else { return }
        do throws(OperationError) {
            try ops.retire(handle) { [self] report in retired(line, report) }
            require(line.phase == .associated, "a handle was retired that is not associated")
            line.phase = .retiring
            line.retirement = Promise(due: port.clock.now.advanced(by: limits.cancelGraceNanoseconds))
        } catch {
            require(line.phase != .associated && error == .notAssociated, "a handle that is associated could not be retired")
        }
        require(!ops.isAssociated(handle), "a handle that is retired takes operations")
    }

    private func retired(_ line: CampaignLine, _ report: RetireReport) {
        line.retirements += 1
        require(line.retirements == 1 && line.phase == .retiring, "the end of a retire was told twice")
        line.phase = .retired
        var orphans = 0
        for operation in operations where operation.line === line {
            adoptOrphan(operation)
            require(operation.phase != .submitted || operation.isTooLate, "a handle was given back while an operation on it runs")
            if operation.phase == .orphaned { orphans += 1 }
        }
        // An orphan's packet may be in the very batch that ended the retire: counted by the report, and home when it is told.
        let isRight = report.stuck >= orphans && report.stuck <= orphans + line.orphansReturned
        require(isRight, "a retire reports \(report.stuck) stuck operations, and \(orphans) are")
        line.retirement = nil
    }

    /// Closes a line's near end; its number goes to the next. One that was not retired is the breach that C13 speaks of.
    func close(_ line: CampaignLine) {
        guard !line.isClosed, line.phase != .retiring else { return }
        line.isClosed = true
        if line.kind == .stream || line.kind == .datagram {
            drainAll(line, line.near) { bytes in line.leftover += line.kind == .stream ? bytes.count : 1 }
        }
        if line.kind == .file { checkFile(line) }
        port.close(line.near)
        buryClosedLines()
    }

    /// Closes a line behind the loop's back while a read is under way there, and gives its number to another of its kind, at which bytes
    /// arrive at once: they are not for that read (C13).
    func recycle(_ line: CampaignLine) {
        // Without a slot for the new association nothing would come of it: a line on which nothing is under way makes room.
        let unused = lines.first { other in other.phase == .associated && other !== line && !operations.contains { $0.line === other } }
        if slotsInUse >= limits.handlesMax, let unused { retire(unused) }
        guard makeRoom(), slotsInUse < limits.handlesMax else { return }
        begin(line, .input, 16, .none)
        close(line)
        open(line.kind)
        if let next = lines.last, next.near == line.near { feed(next, 16) }
    }

    /// A line that is closed and retired, and that no operation names, is looked at for the last time and forgotten.
    func buryClosedLines() {
        lines.removeAll { line in
            guard line.isClosed, line.phase != .associated, line.phase != .retiring else { return false }
            guard !operations.contains(where: { $0.line === line }) else { return false }
            lastLook(line)
            return true
        }
    }

    /// Takes all that has arrived at an end. No bytes are the end of a stream, and a message like any other.
    private func drainAll(_ line: CampaignLine, _ end: NativeHandle, _ take: ([UInt8]) -> Void) {
        while let bytes = port.drain(end, max: 1000), line.kind == .datagram || !bytes.isEmpty { take(bytes) }
    }

    private func lastLook(_ line: CampaignLine) {
        if line.far != .invalid {
            drainAll(line, line.far) { bytes in line.arrived += bytes }
            port.close(line.far)
        }
        for client in line.clients { port.close(client) }
        settleReads(line)
        require(line.reads.isEmpty, "a read has no packet and no operation")
        if line.kind == .stream {
            let accounted = line.consumed + line.leftover
            require(accounted == line.fed, "\(line.fed) bytes were fed, and reads and what was left account for \(accounted)")
        }
        if line.kind == .datagram {
            let accounted = line.messagesConsumed + line.leftover
            require(accounted == line.messagesFed, "\(line.messagesFed) messages were fed, and \(accounted) are accounted for")
        }
        checkWrites(line)
        line.letGo()
    }

    /// What arrived at the far end is what the writes say they wrote, in their order.
    private func checkWrites(_ line: CampaignLine) {
        guard line.kind == .stream || line.kind == .datagram else { return }
        var expected: [UInt8] = []
        for write in line.writes {
            guard let packet = write.packet else { return fail("a write has no packet and no operation") }
            expected += line.writtenBytes(write.write, count: packet.count)
        }
        require(line.arrived == expected, "\(line.arrived.count) bytes arrived, and the packets count \(expected.count), or not these")
    }

    /// A file holds what each write that is over says it wrote, in the write's own place.
    private func checkFile(_ line: CampaignLine) {
        let contents = port.contents(line.near)
        for write in line.writes {
            guard let packet = write.packet, packet.count > 0 else { continue }
            let found = contents.dropFirst(write.offset).prefix(packet.count)
            require(found.elementsEqual(line.writtenBytes(write.write, count: packet.count)), "a file lacks what a write says it wrote")
        }
    }
}
