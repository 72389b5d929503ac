import LoopCore
import LoopSim

/// What a fiber does next.
enum WeekStep: Int, CaseIterable {
    case dawdle, yield, permit, lock, condition, gate, queue, send, receive, offer, read, write, device, poll, remote, spawn, join, group
    case scope, mischief
}

extension Week {
    /// The steps of a fiber, until it has had enough or is cancelled. What is thrown ends all of it.
    func takeSteps(_ loop: isolated EventLoop, _ me: WeekFiber, _ count: Int) async throws -> Int {
        for _ in 0..<count {
            guard failure == nil else { return 0 }
            try await take(WeekStep.allCases[me.random.below(WeekStep.allCases.count)], loop, me)
        }
        return count
    }

    private func take(_ step: WeekStep, _ loop: isolated EventLoop, _ me: WeekFiber) async throws {
        tally.steps[step.rawValue] += 1
        switch step {
        case .dawdle: try await dawdle(loop, me)
        case .yield: await giveWay(me)
        case .permit: try await usePermit(loop, me)
        case .lock: try await useLock(loop, me)
        case .condition: try await useCondition(loop, me)
        case .gate: try await passGate(loop, me)
        case .queue: try await queueUp(loop, me)
        case .send: try await send(loop, me)
        case .receive: try await receive(loop, me)
        case .offer: offer(me)
        case .read: try await read(loop, me)
        case .write: try await write(loop, me)
        case .device: try await useDevice(loop, me)
        case .poll: try await poll(loop, me)
        case .remote: try await useRemote(loop, me)
        case .spawn: try await spawnAndWait(loop, me)
        case .join: try await joinSomebody(loop, me)
        case .group: try await useGroup(loop, me)
        case .scope: try await useScope(loop, me)
        case .mischief: await makeMischief(loop, me)
        }
    }

    func dawdle(_ loop: isolated EventLoop, _ me: WeekFiber) async throws {
        let time = time(me)
        let due = now.advanced(by: nanoseconds(time))
        let slept: Void? = try await wait(loop, me, for: .sleep, nil, timeout: time) { try await loop.sleep(for: time) }
        if slept != nil { require(now == due, "a sleep ended \(now.nanoseconds(since: due)) ns late") }
        note(me, .slept)
    }

    private func giveWay(_ me: WeekFiber) async {
        let before = now
        for _ in 0...me.random.below(3) { await Task.yield() }
        require(now == before, "time passed while a fiber gave way")
        note(me, .yielded)
    }

    /// Some time with something in hand: not as long as others wait.
    private func hold(_ loop: isolated EventLoop, _ me: WeekFiber) async throws {
        guard me.random.below(3) > 0 else { return }
        let time = Duration.nanoseconds(1 + me.random.below(min(me.pace, 5_000_000_000)))
        let slept: Void? = try await wait(loop, me, for: .sleep, nil, timeout: time) { try await loop.sleep(for: time) }
        _ = slept
    }

    private func usePermit(_ loop: isolated EventLoop, _ me: WeekFiber) async throws {
        let thing = semaphores[me.random.below(semaphores.count)]
        let timeout = someTimeout(me)
        let got: Void? = try await wait(loop, me, for: .semaphore, thing, timeout: timeout) {
            try await thing.semaphore.acquire(timeout: timeout)
        }
        guard got != nil else { return }
        thing.held += 1
        note(me, .permit, thing.held)
        require(thing.held <= thing.permits, "\(thing.held) hold one of \(thing.permits) permits")
        defer {
            thing.held -= 1
            if slip != .keepsPermit || me.random.below(50) > 0 { thing.semaphore.release() }
        }
        try await hold(loop, me)
    }

    private func useLock(_ loop: isolated EventLoop, _ me: WeekFiber) async throws {
        guard let thing = try await lockOne(loop, me) else { return }
        defer { giveBack(thing, me) }
        try await hold(loop, me)
    }

    /// Takes one of the locks; nil where the time was up first.
    private func lockOne(_ loop: isolated EventLoop, _ me: WeekFiber) async throws -> WeekMutex? {
        let thing = mutexes[me.random.below(mutexes.count)]
        let timeout = someTimeout(me)
        let got: Void? = try await wait(loop, me, for: .mutex, thing, timeout: timeout) { try await thing.mutex.lock(timeout: timeout) }
        guard got != nil else { return nil }
        take(thing, me)
        return thing
    }

    func take(_ thing: WeekMutex, _ me: WeekFiber) {
        note(me, .lock)
        require(thing.holder == nil, "a lock is held by \(thing.holder ?? 0) and by \(me.number)")
        thing.holder = me.number
    }

    func giveBack(_ thing: WeekMutex, _ me: WeekFiber) {
        require(thing.holder == me.number, "a lock was taken from \(me.number)")
        thing.holder = nil
        thing.mutex.unlock()
    }

    /// Puts an item where others wait for one, or waits for one.
    private func useCondition(_ loop: isolated EventLoop, _ me: WeekFiber) async throws {
        guard let thing = try await lockOne(loop, me) else { return }
        defer { giveBack(thing, me) }
        if me.random.below(2) == 0 {
            thing.items += 1
            if me.random.below(4) == 0 { thing.condition.broadcast() } else { thing.condition.signal() }
            return
        }
        while thing.items == 0 {
            let timeout = time(me)
            thing.holder = nil
            // It has the lock back whatever the wait comes to.
            defer { take(thing, me) }
            let told: Void? = try await wait(loop, me, for: .condition, nil, timeout: timeout) {
                try await waitToBeTold(loop, thing, timeout)
            }
            note(me, .told, told == nil ? 0 : 1)
            if told == nil { return }
        }
        thing.items -= 1
    }

    /// A waiter that has been told waits for the lock, as others do.
    private func waitToBeTold(_ loop: isolated EventLoop, _ thing: WeekMutex, _ timeout: Duration) async throws {
        thing.told.waiters += 1
        defer { thing.told.waiters -= 1 }
        try await thing.condition.wait(for: thing.mutex, timeout: timeout)
    }

    private func passGate(_ loop: isolated EventLoop, _ me: WeekFiber) async throws {
        let thing = gates[me.random.below(gates.count)]
        if me.random.below(4) == 0 { return turn(thing, isOpen: !thing.isOpen) }
        let timeout = someTimeout(me)
        _ = try await wait(loop, me, for: .gate, thing, timeout: timeout) { try await thing.gate.wait(timeout: timeout) }
        note(me, .gate)
    }

    func turn(_ thing: WeekGate, isOpen: Bool) {
        thing.isOpen = isOpen
        if isOpen { thing.gate.open() } else { thing.gate.close() }
    }

    private func queueUp(_ loop: isolated EventLoop, _ me: WeekFiber) async throws {
        let thing = queues[me.random.below(queues.count)]
        guard me.random.below(3) > 0 else {
            let waiters = thing.queue.count
            let isWoken = thing.queue.wakeFirst()
            if isWoken { thing.woken += 1 }
            return require(isWoken == (waiters > 0), "a queue of \(waiters) says that it woke somebody: \(isWoken)")
        }
        let timeout = someTimeout(me)
        let woken: Void? = try await wait(loop, me, for: .adapter, thing, timeout: timeout) { try await thing.queue.wait(timeout: timeout) }
        guard woken != nil else { return }
        thing.woken -= 1
        require(thing.woken >= 0, "more were woken than anybody woke")
        note(me, .woken)
    }

    private func useScope(_ loop: isolated EventLoop, _ me: WeekFiber) async throws {
        guard me.scopes.count < 3 else { return }
        let count = 1 + me.random.below(3)
        try await inScope(loop, me, time(me)) {
            do {
                _ = try await takeSteps(loop, me, count)
            } catch WaitError.timedOut where me.random.below(4) == 0 {
                // What is returned in spite of the timeout is returned.
            }
        }
    }
}
