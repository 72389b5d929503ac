internal import LoopCore

extension CampaignRun {
    /// After every step: the ledger's own invariants, and everything the model knows.
    func check() {
        buryClosedLines()
        do throws(InvariantFailure) { try ops.checkInvariants() } catch { fail("invariant \(error.number) is broken at \(error.place)") }
        checkPhases()
        checkCounts()
    }

    private func checkPhases() {
        for operation in operations {
            adoptOrphan(operation)
            let phase = try? ops.state(operation.id)
            require(phase == operation.phase, "an operation is \(phase?.name ?? "dead"), and should be \(operation.phase.name)")
        }
    }

    private func checkCounts() {
        var (bytes, submitted, orphaned) = (0, 0, 0)
        for operation in operations {
            bytes += operation.capacity
            if operation.phase == .submitted { submitted += 1 }
            if operation.phase == .orphaned { orphaned += 1 }
        }
        let metrics = ops.metrics
        let found = metrics.operations
        require(found.inFlight == operations.count, "\(found.inFlight) operations are in flight, and should be \(operations.count)")
        require(found.submitted == submitted && found.orphaned == orphaned, "the counts by state are not the model's")
        require(found.bytesInFlight == bytes, "\(found.bytesInFlight) bytes are in flight, and should be \(bytes)")
        require(found.staleIDs == staleIDs && found.foreignIDs == foreignIDs, "the counts of refused ids are not the model's")
        require(found.preparedEver == preparedEver, "\(found.preparedEver) operations ever were, and should be \(preparedEver)")
        require(found.packets == UInt64(packets) && found.inlineCompletions == inlineEver, "the counts of results are not the model's")
        require(found.orphanedEver == UInt64(orphansEver), "\(found.orphanedEver) orphans ever were, and should be \(orphansEver)")
        require(found.stalePackets == 0, "a packet was dropped that the contract does not know")
        require(metrics.handles == slotsInUse, "\(metrics.handles) handles are associated, and should be \(slotsInUse)")
    }

    /// After every turn: nobody waits longer than was promised.
    func checkPromises() {
        let now = port.clock.now
        for operation in operations where operation.isAwaited { checkPromise(operation, now) }
        for timer in timers where !timer.isCancelled { require(!timer.promise.isBroken(now), "a timer did not fire") }
        for line in lines {
            if line.retirement?.isBroken(now) ?? false { fail("a handle was not given back within the grace") }
        }
        let isInTime = now <= posts.latest.advanced(by: port.faults.wakeDelayNanoseconds)
        require(posts.outstanding == 0 || isInTime, "a call from another thread waits, and the loop slept on: its wake was lost")
    }

    /// First the deadline, then the grace after it; or the word after the packet.
    private func checkPromise(_ operation: CampaignOperation, _ now: MonotonicInstant) {
        guard operation.promise?.isBroken(now) ?? false else { return }
        guard operation.phase == .submitted, !operation.isEnding else { return fail("somebody waits longer than deadline and grace") }
        operation.isEnding = true
        operation.promise = Promise(due: now.advanced(by: limits.cancelGraceNanoseconds))
    }
}
