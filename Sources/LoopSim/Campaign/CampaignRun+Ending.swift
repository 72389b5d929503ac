internal import LoopCore

extension CampaignRun {
    /// The kernel is healed, everything is ended by hand, and nothing may be left: no operation, no handle, no byte.
    func heal() {
        isEnding = true
        port.faults = .none
        while !remotes.isEmpty { completeRemote(0, .complete) }
        port.abortEverything()
        turn(atMost: 40) { operations.allSatisfy { $0.phase != .submitted && $0.phase != .orphaned && !$0.isAwaited } && timers.isEmpty }
        for operation in operations {
            require(operation.phase != .submitted && operation.phase != .orphaned, "an operation never got its packet")
        }
        guard failure == nil else { return }
        dropHeld()
        for operation in operations {
            if operation.phase == .prepared { abandon(operation) } else { take(operation, keep: false) }
        }
        for line in lines where line.phase == .associated { retire(line) }
        turn(atMost: 5) { lines.allSatisfy { $0.phase != .retiring } }
        for line in lines {
            if line.phase == .unassociated { line.phase = .retired }
            close(line)
        }
        check()
        require(lines.isEmpty, "a handle was never given back")
        require(port.openHandleCount == 0, "\(port.openHandleCount) handles are open that nobody knows of")
        guard failure == nil else { return }
        require(loop.shutdown().isClean, "operations were left in a loop that has none")
    }

    /// The loop is ended as it is. What it cannot get back it names, all of it, within its bound.
    // SAFETY: the preparation is refused, so there is no memory.
    func abandonShip() {
        isEnding = true
        let bound = port.clock.now.advanced(by: limits.shutdownBoundNanoseconds)
        let report = loop.shutdown()
        isEnded = true
        require(port.clock.now <= bound, "a shutdown took longer than its bound")
        var stragglers = 0
        for operation in operations {
            require(!operation.isAwaited, "a waiter was not told that the loop has ended")
            guard operation.phase == .submitted || operation.phase == .orphaned else { continue }
            stragglers += 1
            require(mayBeStuck(operation), "a shutdown left an operation whose packet would have come")
        }
        let named = report.operations.count
        require(named == stragglers, "a shutdown names \(named) operations, and leaves \(stragglers)")
        leaked = named
        guard failure == nil else { return }
        if let line = lines.first, let handle = line.handle {
            expect(.closed, "a preparation after the end") { () throws(OperationError) in unsafe try ops.prepare(handle).id }
        }
        dropHeld()
        for operation in operations where operation.phase == .completed { take(operation, keep: false) }
    }

    private func turn(atMost turns: Int, until isDone: () -> Bool) {
        for _ in 0..<turns where !isDone() && failure == nil { turn(.until(port.clock.now.advanced(by: 200_000))) }
    }
}
