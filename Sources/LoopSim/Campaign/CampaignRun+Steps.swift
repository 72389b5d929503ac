internal import LoopCore

extension CampaignRun {
    func take(_ step: CampaignStep) {
        switch step {
        case .open, .associateAgain, .retire, .close, .recycle: takeHandleStep(step)
        case .begin, .prepare, .start, .perform, .call, .callDead, .callForeign, .dropHeld: takeOperationStep(step)
        case .feed, .drain, .hangUp, .completeDevice, .completeRemote, .releaseStuck: takeWorldStep(step)
        default: takeTimeStep(step)
        }
    }

    private func takeHandleStep(_ step: CampaignStep) {
        switch step {
        case .open(let kind): open(kind)
        case .associateAgain(let place): if let line = line(place) { associate(line) }
        case .retire(let place): if let line = line(place) { retire(line) }
        case .close(let place):
            // Behind the loop's back only now and then, or nothing would be left to work with.
            if let line = line(place), line.phase != .associated || place >= 200 { close(line) }
        case .recycle(let place):
            let usable = lines.filter { !$0.isClosed && $0.phase == .associated }
            if !usable.isEmpty { recycle(usable[Int(place) % usable.count]) }
        default: break
        }
    }

    private func takeOperationStep(_ step: CampaignStep) {
        switch step {
        case .begin(let place, let verb, let bytes, let wait): if let line = line(place) { begin(line, verb, Int(bytes), wait) }
        case .prepare(let place, let bytes): if let line = line(place) { _ = prepare(line, Int(bytes)) }
        case .start(let place, let verb): if let operation = operation(place) { start(operation, verb) }
        case .perform(let place, let verb, let bytes, let wait): if let line = line(place) { perform(line, verb, Int(bytes), wait) }
        case .call(let place, let call): if let operation = operation(place) { self.call(operation, call) }
        case .callDead(let place, let call): if !dead.isEmpty { callDead(dead[Int(place) % dead.count], call) }
        case .callForeign(let call): callForeign(call)
        case .dropHeld: dropHeld()
        default: break
        }
    }

    private func takeWorldStep(_ step: CampaignStep) {
        switch step {
        case .feed(let place, let bytes): if let line = line(place) { feed(line, Int(bytes)) }
        case .drain(let place, let bytes): if let line = line(place) { drain(line, Int(bytes)) }
        case .hangUp(let place):
            if let line = line(place), line.kind == .stream, !line.isHungUp {
                line.isHungUp = true
                port.hangUp(line.far)
            }
        case .completeDevice(let place, let bytes):
            if let line = line(place), line.kind == .device, !line.isClosed {
                port.complete(line.near, bytes: [UInt8](repeating: CampaignRun.deviceByte, count: Int(bytes)))
            }
        case .completeRemote(let place, let how): if !remotes.isEmpty { completeRemote(Int(place) % remotes.count, how) }
        case .releaseStuck: port.releaseStuck()
        default: break
        }
    }

    private func takeTimeStep(_ step: CampaignStep) {
        switch step {
        case .postFromThread: port.simulatedWaker.asThread(2) { posts.send(to: loop, at: port.clock.now) }
        case .postWhileAsleep(let microseconds): postWhileAsleep(UInt64(microseconds) * 1000)
        case .failWakes(let count): port.simulatedWaker.failNext(Int(count))
        case .startTimer(let microseconds): startTimer(UInt64(microseconds) * 1000)
        case .cancelTimer(let place): if !timers.isEmpty { cancelTimer(timers[Int(place) % timers.count]) }
        case .moveTimer(let place, let microseconds):
            if !timers.isEmpty { moveTimer(timers[Int(place) % timers.count], UInt64(microseconds) * 1000) }
        case .advance(let microseconds): port.clock.advance(by: UInt64(microseconds) * 1000)
        case .turn(let microseconds):
            turn(microseconds == 0 ? .poll : .until(port.clock.now.advanced(by: UInt64(microseconds) * 1000)))
        case .turnWithoutBound: turn(.forever)
        default: break
        }
    }

    private func line(_ place: UInt8) -> CampaignLine? { lines.isEmpty ? nil : lines[Int(place) % lines.count] }

    private func operation(_ place: UInt8) -> CampaignOperation? {
        operations.isEmpty ? nil : operations[Int(place) % operations.count]
    }

    /// What devices hand out: they have no other side that could tell places apart.
    static let deviceByte: UInt8 = 0xDD

    // MARK: turns

    func turn(_ bound: WaitBound) {
        loop.turn(bound)
        for operation in operations where !operation.isAwaited { operation.isWaitCancelled = false }
        checkPromises()
    }

    /// Nothing can happen any more, and the loop waits without a bound: right only if it owes nobody anything.
    func idle() -> IdleAnswer {
        require(posts.outstanding == 0, "a call that another thread sent waits for ever: its wake was lost")
        let isForgotten = operations.contains { $0.isAwaited && ($0.deadline != nil || $0.isEnding) && $0.phase == .submitted }
        require(!isForgotten, "a deadline or a grace was forgotten")
        require(!timers.contains { $0.timesFired == 0 && !$0.isCancelled }, "a timer was forgotten")
        return .returnEarly
    }

    private func postWhileAsleep(_ nanoseconds: UInt64) {
        port.after(nanoseconds) { [self] in
            guard !isEnded, failure == nil else { return }
            port.simulatedWaker.asThread(3) { posts.send(to: loop, at: port.clock.now) }
        }
    }

    // MARK: timers

    private func startTimer(_ nanoseconds: UInt64) {
        guard timers.count < 8 else { return }
        let timer = CampaignTimer(due: port.clock.now.advanced(by: nanoseconds))
        timers.append(timer)
        timer.id = ops.call(after: .nanoseconds(Int64(nanoseconds))) { [self] in
            timer.timesFired += 1
            require(timer.timesFired == 1, "a timer fired twice")
            require(!timer.isCancelled, "a timer fired that had been cancelled")
            require(port.clock.now >= timer.promise.due, "a timer fired before its time")
            timers.removeAll { $0 === timer }
        }
    }

    private func cancelTimer(_ timer: CampaignTimer) {
        guard let id = timer.id else { return }
        require(ops.cancel(id), "a timer that has not fired could not be cancelled")
        require(!ops.cancel(id), "a timer was cancelled twice")
        timer.isCancelled = true
        timers.removeAll { $0 === timer }
    }

    private func moveTimer(_ timer: CampaignTimer, _ nanoseconds: UInt64) {
        guard let id = timer.id else { return }
        timer.promise = Promise(due: port.clock.now.advanced(by: nanoseconds))
        require(ops.move(id, to: timer.promise.due), "a timer that has not fired could not be moved")
    }

    // MARK: the other side

    func feed(_ line: CampaignLine, _ count: Int) {
        switch line.kind {
        case .stream: line.fed += port.feed(line.far, line.fedBytes(line.fed..<(line.fed + count)))
        case .datagram:
            // A message begins at a place of its own, so that two of the same length differ.
            guard port.feed(line.far, line.fedBytes(line.messagePlaces(line.messagesFed, count))) > 0 else { return }
            line.messages.append(count)
            line.messagesFed += 1
        case .listener:
            guard line.clients.count < 4, let client = port.connectClient(to: line.address) else { return }
            line.clients.append(client)
        case .file, .device: break
        }
    }

    func drain(_ line: CampaignLine, _ count: Int) {
        guard line.kind == .stream || line.kind == .datagram else { return }
        // A message that is taken in part is cut, and then what arrived is not what was sent.
        line.arrived += port.drain(line.far, max: line.kind == .stream ? count : 1000) ?? []
    }
}

extension CampaignLine {
    /// The places of the pattern that a message is made of.
    func messagePlaces(_ message: Int, _ count: Int) -> Range<Int> { (message << 16)..<(message << 16 + count) }
}
