import LoopCore
import LoopSim

extension Week {
    /// A fiber that disturbs others, for a while.
    func makeMischief(_ loop: isolated EventLoop, _ me: WeekFiber) async {
        note(me, .mischief)
        if slip == .forgetsTimer, me.random.below(50) == 0 { ops.call(after: .seconds(600)) {} }
        for _ in 0...me.random.below(4) {
            disturb(&me.random)
            if me.random.below(2) == 0 { await Task.yield() }
        }
        if me.random.below(3) == 0, let line = lineToRetire(me) { await retire(line) }
    }

    /// Does something that a fiber may be in the middle of not expecting.
    private func disturb(_ random: inout SimulatedRandom) {
        switch random.below(12) {
        case 0, 1, 2: if !live.isEmpty { cancel(live[random.below(live.count)]) }
        case 3: askSomeOperation(&random, \.isWaiting) { (try? self.ops.cancel($0)) != nil }
        case 4:
            askSomeOperation(&random, \.isWaiting) {
                self.ops.cancelWait($0)
                return true
            }
        case 5, 6: completeRemote(&random)
        case 7, 8: completeDevice(&random)
        case 9:
            let gate = gates[random.below(gates.count)]
            turn(gate, isOpen: !gate.isOpen)
        case 10:
            let thing = queues[random.below(queues.count)]
            thing.woken += thing.queue.count
            thing.queue.wakeAll()
        case 11: if random.below(4) == 0 { endChannel(&random) }
        default: break
        }
    }

    /// Asks a fiber to end, by itself or with the fiber whose child it is.
    func cancel(_ fiber: WeekFiber) {
        guard let handle = fiber.fiber else { return }
        if slip != .cancelsUnasked || fiber.isCancelled || random.below(20) > 0 { fiber.noteCancel(now) }
        handle.cancel()
    }

    private func askSomeOperation(
        _ random: inout SimulatedRandom, _ isRight: (WeekOperation) -> Bool, _ ask: (OperationID) -> Bool
    ) {
        let found = waiting.filter(isRight)
        guard !found.isEmpty else { return }
        let operation = found[random.below(found.count)]
        guard let id = operation.id, ask(id) else { return }
        operation.askedAt = operation.askedAt ?? now
    }

    private func completeRemote(_ random: inout SimulatedRandom) {
        guard !remotes.isEmpty else { return }
        let (operation, completion) = remotes.remove(at: random.below(remotes.count))
        // Dropped, it completes as aborted.
        if random.below(4) == 0 { operation.isDropped = true } else { completion.complete(count: Int(operation.number)) }
    }

    private func completeDevice(_ random: inout SimulatedRandom) {
        guard let line = lines.first(where: { $0.kind == .device }) else { return }
        port.complete(line.near.native, bytes: [UInt8](repeating: Week.deviceByte, count: 1 + random.below(16)))
    }

    /// One on which something was given up on, if there is one.
    private func lineToRetire(_ me: WeekFiber) -> WeekLine? {
        if let torn = lines.first(where: \.isTorn) { return torn }
        return lines.isEmpty ? nil : lines[me.random.below(lines.count)]
    }

    // MARK: fibers and their fibers

    func spawnAndWait(_ loop: isolated EventLoop, _ me: WeekFiber) async throws {
        guard live.count < 90 else { return }
        let child = spawn(pace: max(1_000, me.pace / 4))
        guard let handle = child.fiber, me.random.below(2) == 0 else { return }
        if me.random.below(3) == 0 { cancel(child) }
        // Whatever becomes of the task that asks for it.
        me.wait = WeekWait(what: .fiber, began: now, deadline: nil, scope: nil, isParked: false)
        let end = await handle.value
        me.wait = nil
        note(me, .joined, child.number)
        require(end == child.end && end.fiber == child.number, "the value of fiber \(child.number) is that of \(end.fiber)")
    }

    func joinSomebody(_ loop: isolated EventLoop, _ me: WeekFiber) async throws {
        let others = live.filter { $0 !== me && $0.fiber != nil }
        guard !others.isEmpty else { return }
        // The oldest has most to wait for, and is joined by many.
        let other = others[me.random.below(2) == 0 ? 0 : me.random.below(others.count)]
        guard let handle = other.fiber else { return }
        let timeout = someTimeout(me)
        if !me.isCancelled { other.isWatched = true }
        me.joined = other
        defer { me.joined = nil }
        let result = try await wait(loop, me, for: .fiber, nil, timeout: timeout) { try await handle.join(timeout: timeout) }
        guard let result else { return }
        note(me, .joined, other.number)
        switch result {
        case .success(let end): require(end == other.end && other.end != nil, "fiber \(other.number) was joined before its end")
        }
    }

    /// Children of a group: bound by the timeouts around it, cancelled with its fiber, or all at once.
    func useGroup(_ loop: isolated EventLoop, _ me: WeekFiber) async throws {
        guard live.count < 90 else { return }
        let week = confined
        let children = (0...me.random.below(3)).map { _ in makeFiber(parent: me, pace: max(1_000, me.pace / 4)) }
        let isCutShort = me.random.below(3) == 0
        let ends = await withTaskGroup(of: WeekEnd.self) { group in
            for child in children {
                let (number, witness) = (child.number, Witness(witnesses))
                group.addFiber(on: loop, name: "child") { loop in
                    witness.stay()
                    return await week.on(loop).life(of: number, loop)
                }
            }
            if isCutShort {
                await Task.yield()
                for child in children where child.end == nil { child.noteCancel(now) }
                group.cancelAll()
            }
            var ends: [WeekEnd] = []
            for await end in group { ends.append(end) }
            return ends
        }
        note(me, .group, ends.count)
        require(Set(ends) == Set(children.compactMap(\.end)) && ends.count == children.count, "a group has lost a child")
    }
}
