extension EventLoop {
    /// Ends the loop, in phases (C10). Fibers are cancelled, and have ``Limits/cleanUpBoundNanoseconds`` for their last words, which they
    /// say by shielded operations. Then new operations are refused, those in flight are asked to end, and the loop turns until their
    /// packets are in, at most for ``Limits/shutdownBoundNanoseconds``. What a driver still holds then is leaked on purpose and reported:
    /// its memory may yet be written to, so it is never freed.
    ///
    /// Waiters are told: those of leaked operations that they are stuck, all others that the loop is closed. Jobs that come later still
    /// run, on the thread that brings them.
    @discardableResult
    public nonisolated func shutdown() -> ShutdownReport {
        // A loop that has ended has no thread any more, and nothing left.
        if mailbox.isClosed { return ShutdownReport(operations: [], fibers: [], threads: []) }
        let core = core
        core.open()
        cleanUp(core)
        core.ledger.refuseNewOperations()
        core.wakeEverybody()
        core.cancelEverything()
        let bound = core.port.now().advanced(by: core.limits.shutdownBoundNanoseconds)
        while !core.isDrained, core.port.now() < bound { runTurn(core, .until(bound), .drained) }
        // Packets that lay ready while the bound ran out are no stragglers.
        repeat { runTurn(core, .poll, .oneLook) } while core.lastBatchWasFull
        let report = ShutdownReport(
            operations: core.leakStragglers(), fibers: core.fibers.dump(now: core.present), threads: core.stopOffload())
        core.ledger.dropAllKinds()
        core.tellSettled()
        core.port.close()
        core.isEnded = true
        core.signals.close()
        // Timers will not fire any more; a function among them may be what keeps the loop.
        core.timers = TimerHeap()
        mailbox.close()
        thread.leave()
        runLate()
        return report
    }

    /// The fibers' last words. Who is interrupted twice is in a hurry.
    private nonisolated func cleanUp(_ core: Core) {
        guard !isWithoutFibers(core) else { return }
        core.fibers.cancelAll()
        let bound = core.port.now().advanced(by: core.limits.cleanUpBoundNanoseconds)
        while !has(core, reached: .endOfFibers), core.port.now() < bound { runTurn(core, .until(bound), .endOfFibers) }
    }
}

/// What was left when a loop ended.
public struct ShutdownReport: Sendable {
    /// Operations whose driver answered neither them nor their cancellation. Their memory is leaked.
    public let operations: [OperationDump]
    /// Fibers that had not ended: they wait for something that is not the loop's, or do not listen to their cancellation.
    public let fibers: [FiberDump]

    /// The names of what the loop's threads were still doing (``EventLoop/offload(name:timeout:isolation:_:)``). They do it to its end.
    public let threads: [String]

    /// Whether nothing was left.
    public var isClean: Bool { operations.isEmpty && fibers.isEmpty && threads.isEmpty }
}

extension Ledger {
    func refuseNewOperations() { isOpen = false }
}

extension Core {
    /// Asks every operation to end.
    func cancelEverything() {
        ledger.slab.visit { cell in
            if case .submitted = cell.record.state { _ = try? cancel(cell) }
        }
    }

    /// Ends the threads of the pool. What they do cannot be stopped, so it is waited for only so long.
    func stopOffload() -> [String] { offload.close(until: port.now().advanced(by: limits.offloadStopBoundNanoseconds)) }

    /// Nothing is submitted, nobody is left to tell, and no job waits.
    var isDrained: Bool {
        ledger.counts.submitted == 0 && ledger.hasToldEverybody && ready.isEmpty && yielded.isEmpty && !hasPostedCancels
    }

    /// Gives up on what is still submitted, and says what it was.
    func leakStragglers() -> [OperationDump] {
        var left: [OperationDump] = []
        ledger.slab.visit { cell in
            switch cell.record.state {
            case .submitted:
                left.append(OperationDump(cell, now: present))
                ledger.giveUp(cell, now: present)
            case .orphaned: left.append(OperationDump(cell, now: present))
            case .free, .prepared, .completed, .taken: break  // Memory of ours alone: the slab frees it.
            }
        }
        ledger.counts.leaked += UInt64(left.count)
        return left
    }
}
