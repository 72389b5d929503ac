import LoopCore
import LoopSim

extension Week {
    /// New handles, associated. A kernel that refuses now and then is asked again.
    func makeLine(_ kind: WeekLine.Kind) -> WeekLine? {
        linesEver += 1
        switch kind {
        case .device:
            guard let near = associate(port.makeDevice()) else { return nil }
            return WeekLine(linesEver, kind, near: near, far: nil)
        case .stream:
            let (nearEnd, farEnd) = port.makeStreamPair(bytesMax: 200)
            guard let near = associate(nearEnd), let far = associate(farEnd) else { return nil }
            return WeekLine(linesEver, kind, near: near, far: far)
        }
    }

    private func associate(_ native: NativeHandle) -> AssociatedHandle? {
        for _ in 0..<20 {
            do throws(AssociationError) { return try ops.associate(native) } catch {
                require(faults.refusesAssociations != .never, "a handle was refused: \(error)")
            }
        }
        fail("a handle was refused twenty times")
        return nil
    }

    func line(_ kind: WeekLine.Kind, _ me: WeekFiber) -> WeekLine? {
        let found = lines.filter { $0.kind == kind && !$0.isTorn }
        return found.isEmpty ? nil : found[me.random.below(found.count)]
    }

    /// Retires a line, in use or not, and closes it. Another takes its place at once.
    func retire(_ line: WeekLine) async {
        guard let place = lines.firstIndex(where: { $0 === line }) else { return }
        tally.retires += 1
        line.retiredAt = now
        retiring.append(line)
        if let next = makeLine(line.kind) { lines[place] = next } else { lines.remove(at: place) }
        let handles = [line.near] + (line.far.map { [$0] } ?? [])
        for handle in handles {
            let began = now
            do throws(OperationError) { _ = try await ops.awaitRetire(handle) } catch { fail("a retire was refused: \(error)") }
            require(now.nanoseconds(since: began) <= grace, "a retire took longer than the grace")
            require(!ops.isAssociated(handle), "a handle takes operations behind its retire")
        }
        close(line)
        retiring.removeAll { $0 === line }
    }

    func close(_ line: WeekLine) {
        port.close(line.near.native)
        if let far = line.far { port.close(far.native) }
    }

    /// The kernel is healed, and all that it still has is given back.
    func heal() {
        port.faults = .none
        for remote in remotes { remote.operation.isDropped = true }
        remotes = []
        port.abortEverything()
        for _ in 0..<50 where ops.metrics.operations.inFlight > 0 { loop.turn(.until(now.advanced(by: 1_000_000))) }
        for line in lines {
            checkRemainder(of: line)
            for handle in [line.near] + (line.far.map { [$0] } ?? []) { try? ops.retire(handle) }
        }
        for _ in 0..<5 { loop.turn(.poll) }
        for line in lines { close(line) }
        lines = []
    }

    /// What was sent has been received, or is still on its way.
    private func checkRemainder(of line: WeekLine) {
        guard line.kind == .stream, !line.isTorn else { return }
        let rest = port.drain(line.near.native, max: 10_000) ?? []
        let expected = (line.received..<line.sent).map { line.byte($0) }
        require(rest == expected, "\(rest.count) bytes are on their way at the end, and should be \(line.sent - line.received)")
    }

    // MARK: what a fiber does with one

    func read(_ loop: isolated EventLoop, _ me: WeekFiber) async throws {
        guard let line = line(.stream, me), !line.isBeingRead else { return }
        line.isBeingRead = true
        defer { line.isBeingRead = false }
        try await perform(.read, line, line.near, capacity: 1 + me.random.below(64), loop, me) { [self] result in
            take(result, from: line, me)
        }
    }

    /// Bytes come in order, and each once: what a read may have lost is counted with what was read.
    private func take(_ result: WeekResult, from line: WeekLine, _ me: WeekFiber) {
        let count = slip == .losesByte && me.random.below(20) == 0 ? max(0, result.bytes.count - 1) : result.bytes.count
        let expected = (0..<result.bytes.count).map { line.byte(line.received + $0) }
        require(result.bytes == expected, "\(result.bytes.count) bytes are not those that were sent from \(line.received) on")
        require(result.bytes.isEmpty || result.lost == 0, "bytes were both shown and lost")
        line.received += count + result.lost
        require(line.received <= line.sent + line.beingSent, "\(line.received) bytes were received of \(line.sent)")
        note(me, .read, line.received)
    }

    func write(_ loop: isolated EventLoop, _ me: WeekFiber) async throws {
        guard let line = line(.stream, me), let far = line.far, !line.isBeingWritten else { return }
        let bytes = (0..<(1 + me.random.below(300))).map { line.byte(line.sent + $0) }
        line.isBeingWritten = true
        line.beingSent = bytes.count
        defer {
            line.isBeingWritten = false
            line.beingSent = 0
        }
        try await perform(.write(bytes), line, far, capacity: bytes.count, loop, me) { [self] result in
            require(result.count <= bytes.count, "a write of \(bytes.count) bytes counts \(result.count)")
            let isWhole = result.count == bytes.count || result.severity != .success
            require(isWhole, "a write of \(bytes.count) bytes succeeded with \(result.count)")
            line.sent += result.count
            note(me, .wrote, line.sent)
        }
    }

    func useDevice(_ loop: isolated EventLoop, _ me: WeekFiber) async throws {
        guard let line = line(.device, me) else { return }
        let capacity = 1 + me.random.below(16)
        try await perform(.read, line, line.near, capacity: capacity, loop, me) { [self] result in
            require(result.bytes.allSatisfy { $0 == Week.deviceByte }, "a device's bytes are not those that it handed out")
            require(result.bytes.count <= capacity, "a device handed out more than there was room for")
            note(me, .device, result.bytes.count)
        }
    }

    static let deviceByte: UInt8 = 0x5A

    /// Nothing is polled for on a device that is never ready, so this one only ends.
    func poll(_ loop: isolated EventLoop, _ me: WeekFiber) async throws {
        guard let line = line(.stream, me) else { return }
        try await perform(.poll, line, line.near, capacity: 0, loop, me) { [self] result in
            require(result.severity != .success || result.count > 0, "a poll found nothing and finished")
            note(me, .polled, result.count)
        }
    }

    func useRemote(_ loop: isolated EventLoop, _ me: WeekFiber) async throws {
        guard let line = line(.device, me) else { return }
        try await perform(.remote(me.random.below(2) == 0 ? .ends : .waits), line, line.near, capacity: 0, loop, me) { [self] result in
            require(result.severity != .success || UInt64(result.count) == result.number, "a remote completion was another's")
            note(me, .remote, result.count)
        }
    }
}
