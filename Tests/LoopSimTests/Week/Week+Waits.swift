import LoopCore
import LoopSim

extension Week {
    /// Waits, and judges what became of it. Nil where the wait's own time was up, or what it waited for was closed; throws what ends more
    /// than this wait: the fiber's cancellation and the time of a scope.
    func wait<R: Sendable>(
        _ loop: isolated EventLoop, _ me: WeekFiber, for what: WaitedFor, _ thing: WeekThing?, timeout: Duration?, isParked: Bool = true,
        _ body: () async throws -> R
    ) async throws -> R? {
        let wait = plan(me, what, timeout, isParked: isParked)
        begin(wait, me, thing)
        do {
            let value = try await body()
            finish(wait, me, thing)
            return value
        } catch {
            finish(wait, me, thing)
            try judge(error, of: wait, me)
            return nil
        }
    }

    /// A wait that begins now: which deadline bounds it, and whose that is.
    private func plan(_ me: WeekFiber, _ what: WaitedFor, _ timeout: Duration?, isParked: Bool) -> WeekWait {
        let own = timeout.map { now.advanced(by: nanoseconds($0)) }
        guard isParked, let scope = me.tightest, own ?? .distantFuture >= scope.deadline else {
            return WeekWait(what: what, began: now, deadline: own, scope: nil, isParked: isParked)
        }
        return WeekWait(what: what, began: now, deadline: scope.deadline, scope: scope, isParked: isParked)
    }

    private func begin(_ wait: WeekWait, _ me: WeekFiber, _ thing: WeekThing?) {
        tally.waits += 1
        me.wait = wait
        thing?.waiters += 1
    }

    private func finish(_ wait: WeekWait, _ me: WeekFiber, _ thing: WeekThing?) {
        me.wait = nil
        thing?.waiters -= 1
    }

    /// A wait ended without what it was for. That is allowed to have happened at one instant alone.
    private func judge(_ error: any Error, of wait: WeekWait, _ me: WeekFiber) throws {
        // The way back to a lock, behind the wait for a condition, takes the time that it takes.
        let isExact = wait.what != .condition
        switch error as? WaitError {
        case .cancelled:
            guard let cancelledAt = me.cancelledAt else { return fail("the wait of \(me.number) for \(wait.what) was cancelled unasked") }
            let due = max(cancelledAt, wait.began)
            require(now == due || !isExact && now > due, "a cancelled wait for \(wait.what) ended \(now.nanoseconds(since: due)) ns late")
            tally.cancelled += 1
            note(me, .cancelled)
            throw WaitError.cancelled
        case .timedOut:
            guard let deadline = wait.deadline else { return fail("a wait of \(me.number) for \(wait.what) timed out without a deadline") }
            let due = max(deadline, wait.began)
            require(now >= due, "a wait for \(wait.what) timed out before its deadline")
            require(now == due || !isExact, "a wait for \(wait.what) timed out \(now.nanoseconds(since: due)) ns late")
            tally.timedOut += 1
            note(me, .timedOut)
            guard let scope = wait.scope else { return }
            scope.isCut = true
            throw WaitError.timedOut
        case .closed:
            require(wait.what == .channel, "a wait for \(wait.what) was closed, and nobody closes those")
            tally.closed += 1
            note(me, .closed)
        case nil: fail("a wait for \(wait.what) threw \(error)")
        }
    }

    /// Runs steps inside a timeout, and judges who ended them.
    func inScope(_ loop: isolated EventLoop, _ me: WeekFiber, _ time: Duration, _ body: () async throws -> Void) async throws {
        let around = me.tightest
        let scope = WeekScope(now.advanced(by: nanoseconds(time)))
        do {
            try await loop.timeout(time) {
                me.scopes.append(scope)
                defer { me.scopes.removeLast() }
                try await body()
            }
            note(me, .scope)
        } catch let error as TimeoutError {
            tally.scopesCut += 1
            note(me, .scope, 1)
            require(error.time == time, "a timeout of \(time) threw that of \(error.time)")
            require(now >= scope.deadline, "a timeout threw before its deadline")
            require(scope.isCut || scope.mayBeCut, "a timeout threw, and ended none of the waits in it: \(error)")
        } catch {
            require(!scope.isCut, "a timeout ended a wait, and threw \(error)")
            if error as? WaitError == .timedOut {
                require(around.map { $0.deadline <= scope.deadline } ?? false, "a wait timed out inside a timeout that was not up")
            }
            throw error
        }
    }

    /// A time of about the fiber's pace.
    func time(_ me: WeekFiber) -> Duration { .nanoseconds(1 + me.random.below(me.pace)) }

    /// None, more often than not.
    func someTimeout(_ me: WeekFiber) -> Duration? { me.random.below(5) < 3 ? nil : time(me) }

    func nanoseconds(_ duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = duration.components
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
