import LoopSim

@testable import LoopCore

extension Week {
    /// The loop is about to sleep: nothing waits to run, so the loop and the model are to agree in everything.
    func checkAtRest() {
        guard failure == nil else { return }
        tally.rests += 1
        checkThings()
        checkWaits()
        if tally.rests % 16 == 0 { checkLedger() }
    }

    /// Nobody waits for what is there: a wake that was lost would show here.
    private func checkThings() {
        for thing in semaphores {
            let left = thing.semaphore.assumeIsolated { $0.permits }
            require(left + thing.held == thing.permits, "of \(thing.permits) permits \(left) are left and \(thing.held) are held")
            require(left == 0 || thing.waiters == 0, "\(thing.waiters) wait for a permit, and \(left) are left")
        }
        for thing in mutexes {
            let isLocked = thing.mutex.assumeIsolated { $0.isLocked }
            require(isLocked == (thing.holder != nil), "a lock is \(isLocked ? "held" : "free"), and should not be")
            require(isLocked || thing.waiters == 0, "\(thing.waiters) wait for a lock that is free")
        }
        for thing in gates {
            let isOpen = thing.gate.assumeIsolated { $0.position } == .open
            require(isOpen == thing.isOpen, "a gate is \(isOpen ? "open" : "closed"), and should not be")
            require(!isOpen || thing.waiters == 0, "\(thing.waiters) wait at an open gate")
        }
        for thing in queues {
            require(thing.queue.count == thing.waiters, "\(thing.queue.count) are in a queue, and should be \(thing.waiters)")
            require(thing.woken == 0, "\(thing.woken) were woken and did not come to run")
        }
        for thing in channels + ended { check(thing) }
        ended.removeAll { $0.senders.waiters == 0 && $0.receivers.waiters == 0 && $0.held.isEmpty }
    }

    private func check(_ thing: WeekChannel) {
        let count = thing.channel.assumeIsolated { $0.count }
        require(count == thing.held.count, "\(count) elements are in a channel, and should be \(thing.held.count)")
        require(thing.early.isEmpty, "an element was received that nobody sent")
        require(count == 0 || thing.receivers.waiters == 0, "\(thing.receivers.waiters) wait for an element, and \(count) are there")
        let isFull = count == thing.channel.capacity || thing.isFinished || thing.isClosed
        require(isFull || thing.senders.waiters == 0, "\(thing.senders.waiters) wait for room that is there")
        let isOver = thing.isFinished || thing.isClosed
        require(!isOver || thing.senders.waiters == 0 && thing.receivers.waiters == 0, "somebody waits at a channel that has ended")
    }

    /// What the loop keeps for its fibers: their places, their timers, their timeouts, and no more.
    private func checkWaits() {
        let core = loop.core
        // The week itself sleeps until it is over.
        let own = endedAt == nil ? 1 : 0
        var (parked, timers, scopes, ambiguous) = (own, own, 0, 0)
        for fiber in live {
            scopes += fiber.scopes.count
            guard let wait = fiber.wait else { continue }
            if wait.isParked { parked += 1 }
            checkEnd(of: wait, fiber)
            guard wait.deadline != nil else { continue }
            // Who has been told waits for the lock, without a deadline.
            if wait.what == .condition { ambiguous += 1 } else { timers += 1 }
        }
        require(core.parked.count == parked, "\(core.parked.count) tasks are parked, and should be \(parked)")
        require(core.openTimeouts == scopes, "\(core.openTimeouts) timeouts are open, and should be \(scopes)")
        let watched = live.count(where: \.isWatched)
        require(core.joiners.count == watched, "\(core.joiners.count) fibers are watched, and should be \(watched)")
        require(live.allSatisfy { $0.begins == 1 }, "a fiber has not begun, and the loop sleeps")
        require(core.fibers.count == live.count + own, "\(core.fibers.count) fibers run, and should be \(live.count + own)")
        // A wait for an operation has its deadline, or the grace behind that; and so has a retire, which waits for one handle at a time.
        for operation in waiting { checkPromise(operation) }
        timers += waiting.count { $0.deadline != nil || $0.cause ?? .distantFuture <= now } + retiring.count
        // Who waits in place has no timer.
        if let deadline = core.deadlineInPlace {
            require(waiting.contains { $0.deadline == deadline }, "somebody waits in place until \(deadline), and should not")
            timers -= 1
        }
        let found = core.timers.count
        require(timers...(timers + ambiguous) ~= found, "\(found) timers are set, and should be \(timers)")
    }

    /// A wait that was to end has ended; but for one that waits for its lock.
    private func checkEnd(of wait: WeekWait, _ fiber: WeekFiber) {
        guard wait.isParked, wait.what != .condition else { return }
        require(!fiber.isCancelled || wait.isShielded, "fiber \(fiber.number) has been cancelled, and waits for \(wait.what)")
        require(wait.deadline ?? .distantFuture > now, "fiber \(fiber.number) waits for \(wait.what) past its deadline")
        if let joined = fiber.joined { require(joined.end == nil, "fiber \(fiber.number) waits for \(joined.number), which has ended") }
    }

    /// What the ledger keeps for the operations that are waited for, and those that were given up on.
    private func checkLedger() {
        checkInvariants()
        let metrics = ops.metrics
        let found = metrics.operations
        require(found.submitted == waiting.count, "\(found.submitted) operations are submitted, and should be \(waiting.count)")
        require(metrics.prepared == 0 && metrics.completed == 0, "an operation was prepared, or has completed, and nobody waits for it")
        require(found.inFlight == found.submitted + found.orphaned, "\(found.inFlight) operations are in flight")
        require(found.orphanedEver == UInt64(tally.stuck), "\(found.orphanedEver) operations were given up on, \(tally.stuck) told so")
        require(found.orphaned == Int(found.orphanedEver - found.orphansReturned), "\(found.orphaned) orphans are left")
        let refused = found.staleIDs + found.foreignIDs + found.stalePackets + found.leaked
        require(refused == 0, "the ledger was shown ids or packets that it does not know")
    }

    private func checkInvariants() {
        do throws(InvariantFailure) { try ops.checkInvariants() } catch { fail("invariant \(error.number) is broken at \(error.place)") }
    }

    /// Nothing is left: in flight, parked, armed, associated or open.
    func checkEmpty() {
        checkInvariants()
        let (core, metrics) = (loop.core, ops.metrics)
        let found = metrics.operations
        require(found.inFlight == 0 && found.submitted == 0 && found.orphaned == 0, "\(found.inFlight) operations are in flight")
        require(metrics.prepared == 0 && metrics.completed == 0, "an operation has a result at the end that nobody took")
        require(found.bytesInFlight == 0, "\(found.bytesInFlight) bytes are in flight at the end")
        require(found.orphansReturned == found.orphanedEver && found.leaked == 0, "an operation was given up on for good")
        require(found.orphanedEver == UInt64(tally.stuck), "\(found.orphanedEver) operations were given up on, \(tally.stuck) told so")
        require(metrics.timersWaiting == 0, "\(metrics.timersWaiting) timers are set at the end")
        require(metrics.handles == 0, "\(metrics.handles) handles are associated at the end")
        require(core.parked.count == 0, "\(core.parked.count) tasks are parked at the end")
        require(core.fibers.count == 0, "\(core.fibers.count) fibers are left")
        require(core.fibers.failures == 0, "\(core.fibers.failures) fibers failed")
        require(core.joiners.isEmpty && core.openTimeouts == 0, "a fiber is watched at the end, or a timeout open")
        require(waiting.isEmpty && retiring.isEmpty && remotes.isEmpty, "the model has something left")
        require(port.openHandleCount == 0, "\(port.openHandleCount) handles are open at the end")
        for thing in semaphores { require(thing.held == 0 && thing.waiters == 0, "\(thing.held) permits are held at the end") }
        for thing in mutexes { require(thing.holder == nil && thing.waiters == 0, "a lock is held at the end") }
    }
}
