extension EventLoop {
    /// Drives the loop once: everything that is due, then one look at the port, then what the port brought.
    ///
    /// The look blocks as long as `bound` and the timers allow, unless the turn has called somebody already: then it only polls, so that
    /// `while !isDone { loop.turn() }` comes back to its condition.
    ///
    /// For a host that has a loop of its own: call it with ``WaitBound/poll`` whenever ``pollableHandle`` is readable or
    /// ``nextDeadline`` has come. It returns with the wake armed: a post from another thread makes that handle readable.
    public nonisolated func turn(_ bound: WaitBound = .forever) {
        let core = core
        let callsBefore = core.calls
        core.open()
        runTurn(core, bound, .call(since: callsBefore))
        core.close(mailbox)
    }

    /// As ``turn(_:)``, blocking until the given instant at most.
    public nonisolated func turn(until instant: MonotonicInstant) { turn(.until(instant)) }

    /// The order of a turn, and nothing else. It only polls where what is waited for is there before it would block.
    nonisolated func runTurn(_ core: Core, _ bound: WaitBound, _ goal: TurnGoal) {
        var bound = bound
        // Asked once: most turns of a loop that has nothing but packets find nothing here, and nothing that bounds the look.
        if !core.isIdle || !mailbox.isEmpty || core.timers.count > 0 {
            core.takeMail(mailbox)
            core.runReadyJobs(self)
            core.sendPostedCancels()
            core.fireDueTimers()
            core.tellSettled()
            bound = core.waitBound(bound)
        }
        let count = core.waitForPackets(has(core, reached: goal) ? .poll : bound, mailbox)
        core.settle(count)
        core.tellSettled()
        core.releaseYielded()
        core.runMailThatWoke(mailbox, self)
    }

    /// Whether what the loop is turned for is there.
    @inline(__always)
    nonisolated func has(_ core: Core, reached goal: TurnGoal) -> Bool {
        switch goal {
        case .oneLook: true
        case .call(let callsBefore): core.calls != callsBefore
        case .drained: core.isDrained
        case .endOfRun: core.isRunOver && isWithoutFibers(core) || core.interruptions > 0
        case .endOfFibers: isWithoutFibers(core) || core.interruptions > 1
        }
    }

    /// When the loop wants to be turned next: now while something waits to run, ``MonotonicInstant/distantFuture`` while nothing does.
    public nonisolated var nextDeadline: MonotonicInstant {
        let core = core
        guard mailbox.isEmpty, core.waitBound(.forever) != .poll else { return MonotonicInstant(nanoseconds: 0) }
        return min(core.timers.nextDeadline ?? .distantFuture, core.port.nextDeadline ?? .distantFuture)
    }

    /// A descriptor that polls readable when the loop has something to do; nil where the platform has none.
    public nonisolated var pollableHandle: NativeHandle? { core.port.pollableHandle }

    /// The loop's clock.
    public nonisolated var now: MonotonicInstant { core.port.now() }
}

/// What somebody turns the loop for. Not a function, which would retain what it asks: four atomic operations a turn (counted).
enum TurnGoal {
    /// Nothing in particular: what is there.
    case oneLook
    /// Anybody is called.
    case call(since: UInt64)
    /// Nothing is in flight any more.
    case drained
    /// The function of a run has returned and its fibers have ended, or a signal ends it.
    case endOfRun
    /// The fibers have ended, or somebody is in a hurry.
    case endOfFibers
}

extension Core {
    /// Begins a turn, and refuses one inside another.
    func open() {
        switch phase {
        case .outside:
            phase = .turning
        case .turning:
            trap(
                """
                turn was called inside a callback of the same loop. Return to the loop instead: it turns by itself, and what you wait \
                for comes as a callback.
                """)
        }
    }

    /// Ends a turn with the wake armed. A sender who saw the loop awake made no wake; ``EventLoop/nextDeadline`` tells of his mail.
    func close(_ mailbox: Mailbox) {
        phase = .outside
        forgetClock()
        arm(mailbox)
    }
}
