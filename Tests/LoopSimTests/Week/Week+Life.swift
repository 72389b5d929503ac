import LoopCore
import LoopSim

/// The end of a week, for the run that it was.
struct WeekOver: Error {}

extension Week {
    /// Lives through a week and says what came of it. `at` is told where it is.
    static func live(
        seed: UInt64, faults: SimulatedFaults? = nil, bug: KernelBug? = nil, slip: WeekSlip? = nil,
        at: @escaping (UInt64) -> Void = { _ in }
    ) -> WeekReport {
        let witnesses = WitnessCount()
        var report = Week(seed: seed, faults: faults ?? .drawn(from: seed), bug: bug, slip: slip, witnesses, at: at).report()
        report.left = witnesses.value
        if report.failure == nil, report.left > 0 { report.failure = "seed \(seed): \(report.left) objects of fibers were left behind" }
        return report
    }

    private func report() -> WeekReport {
        run()
        rest.isAboutToSleep = {}
        if failure == nil { heal() }
        if failure == nil { checkEmpty() }
        remotes = []
        require(loop.shutdown().isClean, "the loop ended with something left")
        require(failure != nil || port.openHandleCount == 0, "\(port.openHandleCount) handles are open that nobody knows of")
        return WeekReport(failure: failure, trace: trace.value, tally: tally, elapsed: elapsed, fibers: fibersEver)
    }

    private func run() {
        let week = confined
        do {
            try loop.run { loop in
                await week.on(loop).pass(loop)
                if week.on(loop).endsByError { throw WeekOver() }
            }
            require(!endsByError, "a run did not throw what its function threw")
        } catch {
            require(endsByError && error is WeekOver, "a run threw \(error)")
        }
        require(live.isEmpty, "the run is over, and \(live.count) fibers have not ended")
    }

    /// The week itself: bursts of fibers, hours apart.
    private func pass(_ loop: isolated EventLoop) async {
        let end = began.advanced(by: Week.nanoseconds)
        while now < end, failure == nil {
            sayWhere()
            // Where too many are stuck in their waits, somebody has to go.
            if live.count > 60 { for _ in 0..<40 { cancel(live[random.below(live.count)]) } }
            for _ in 0..<(4 + random.below(20)) { spawn(pace: Week.paces[random.below(Week.paces.count)]) }
            if random.below(3) == 0 { endChannel(&random) }
            await pause(loop, min(end.nanoseconds(since: now), UInt64(1 + random.below(4 * 3_600)) * 1_000_000_000))
        }
        require(failure != nil || elapsed >= Week.nanoseconds, "the week ended early")
        endedAt = now
        for fiber in live { endsByError && failure == nil ? fiber.noteCancel(now) : cancel(fiber) }
    }

    private func pause(_ loop: isolated EventLoop, _ nanoseconds: UInt64) async {
        let time = Duration.nanoseconds(Int64(nanoseconds))
        do throws(WaitError) { try await loop.sleep(for: time) } catch { fail("the week's own sleep: \(error)") }
    }

    /// Nanoseconds: a driver's, a program's, a person's, and that of a job at night.
    private static let paces = [300_000, 50_000_000, 20_000_000_000, 7_200_000_000_000]

    /// The loop would sleep for ever: somebody waits whom not even his cancellation has woken, and the run cannot end.
    func idle() -> IdleAnswer {
        let waits = live.map { "\($0.number): \($0.wait.map { "\($0.what)" } ?? "an operation")" }
        fail("nothing will ever happen, and \(live.count) fibers have not ended: \(waits.joined(separator: ", "))")
        trap(failure ?? "")
    }

    // MARK: fibers

    func makeFiber(parent: WeekFiber? = nil, pace: Int) -> WeekFiber {
        fibersEver += 1
        let fiber = WeekFiber(fibersEver, parent: parent, pace: pace, seed: seed)
        // Everybody is to end already.
        if let endedAt { fiber.noteCancel(endedAt) }
        live.append(fiber)
        return fiber
    }

    @discardableResult
    func spawn(pace: Int) -> WeekFiber {
        let (fiber, week, witness) = (makeFiber(pace: pace), confined, Witness(witnesses))
        let number = fiber.number
        let priority = [TaskPriority.high, .medium, .medium, .low][number % 4]
        fiber.fiber = loop.spawn(name: "fiber", priority: priority) { loop in
            witness.stay()
            return await week.on(loop).life(of: number, loop)
        }
        // A fiber that is spawned when the run is over is cancelled with the others.
        if endedAt != nil, !endsByError { fiber.fiber?.cancel() }
        return fiber
    }

    /// A fiber from its first step to its last.
    func life(of number: Int, _ loop: isolated EventLoop) async -> WeekEnd {
        guard let me = live.first(where: { $0.number == number }) else {
            fail("fiber \(number) began that has ended, or was never spawned")
            return WeekEnd(fiber: number, steps: -1)
        }
        me.begins += 1
        note(me, .began)
        require(me.begins == 1, "fiber \(number) began twice")
        var steps = 0
        do {
            steps = try await takeSteps(loop, me, 1 + me.random.below(6))
        } catch {
            judgeEnd(error, me)
            await sayLastWords(loop, me)
        }
        require(me.wait == nil && me.scopes.isEmpty, "fiber \(number) ends inside of a wait")
        let end = WeekEnd(fiber: number, steps: steps)
        me.end = end
        note(me, .ended, steps)
        if slip != .forgetsFiber || me.random.below(50) > 0 { live.removeAll { $0 === me } }
        return end
    }

    private func judgeEnd(_ error: any Error, _ me: WeekFiber) {
        switch error as? WaitError {
        case .cancelled: require(me.isCancelled && Task.isCancelled, "fiber \(me.number) ended as cancelled, and nobody cancelled it")
        case .timedOut: require(me.parent?.tightest != nil, "fiber \(me.number) ended by a timeout that it is not in")
        default: fail("fiber \(me.number) ended by \(error)")
        }
    }

    /// What a fiber may still do that has been cancelled: a shielded wait, for a lock or for an operation.
    private func sayLastWords(_ loop: isolated EventLoop, _ me: WeekFiber) async {
        guard me.random.below(4) == 0 else { return }
        let thing = mutexes[me.random.below(mutexes.count)]
        let timeout = time(me)
        me.wait = WeekWait(what: .mutex, began: now, deadline: now.advanced(by: nanoseconds(timeout)), scope: nil, isShielded: true)
        thing.waiters += 1
        defer { thing.waiters -= 1 }
        do throws(WaitError) {
            try await thing.mutex.lockShielded(timeout: timeout)
            me.wait = nil
            take(thing, me)
            await Task.yield()
            giveBack(thing, me)
        } catch {
            require(error == .timedOut && me.wait?.deadline == now, "a shielded wait for a lock threw \(error)")
            me.wait = nil
        }
    }
}
