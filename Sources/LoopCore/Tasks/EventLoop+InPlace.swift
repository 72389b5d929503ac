internal import _Concurrency

// A wait in place.
//
// A task is suspended so that others run while it waits. It costs the runtime four locks and a thousand instructions, and where there is
// nobody else it is for nothing. So before a task is suspended the loop looks whether anybody has anything to run, and if not, asks the
// port at once, from where the task stands: the look that the turn would make next. What it brings is settled here and told by the turn,
// as ever. If it is what the task waits for, the task goes on; for anything else it is suspended.
//
// Only within a run: who turns the loop himself gets it back behind each step of a task. And only for a task that keeps nobody else from
// running: it is the loop's present job, not one that was begun inside of it, and holds no actor but those of the loop.

extension EventLoop {
    /// Asks the port in place, for as long as `nanoseconds` says, where that is allowed. Whether it was: then there may be news, and the
    /// bound is what is left of it. The caller has found the loop idle.
    nonisolated func lookedInPlace(
        _ core: Core, within nanoseconds: inout UInt64?, _ shield: Shield, _ isolation: (any Actor)?
    ) -> Bool {
        guard core.run != nil, !has(core, reached: .endOfRun), mailbox.isEmpty, !core.hasDueTimers else { return false }
        guard TaskIdentity.current?.address == core.runningJob, isOwn(isolation) else { return false }
        guard shield == .shielded || !TaskIdentity.isCurrentCancelled else { return false }
        core.look(within: &nanoseconds, mailbox)
        return true
    }

    /// Whether whoever runs there runs as the loop, or as nobody: then no other actor is kept from others meanwhile.
    // SAFETY: the identities are compared while the actor and the loop live.
    private nonisolated func isOwn(_ isolation: (any Actor)?) -> Bool {
        if isolation == nil || isolation === self { return true }
        return unsafe isolation?.unownedExecutor.identity == asUnownedSerialExecutor().identity
    }
}

extension Core {
    /// Whether there is nothing to run and nobody to tell, and the port is all that is left to ask.
    var isIdle: Bool {
        @inline(__always) get { ready.isEmpty && yielded.isEmpty && !hasPostedCancels && ledger.hasToldEverybody }
    }

    /// Asks the port, and settles what it brings.
    @inline(__always)
    fileprivate func look(within nanoseconds: inout UInt64?, _ mailbox: Mailbox) {
        let deadline = nanoseconds.map { port.now().advanced(by: $0) }
        deadlineInPlace = deadline
        inlineCompletions = 0
        settle(waitForPackets(waitBound(deadline.map { .until($0) } ?? .forever), mailbox))
        deadlineInPlace = nil
        if let deadline { nanoseconds = deadline.nanoseconds(since: now) }
    }
}

extension UnownedSerialExecutor {
    /// The executor's address: the same for all actors of one loop.
    // SAFETY: an executor is a pointer and a word; the number is compared and never followed.
    fileprivate var identity: UInt { unsafe unsafeBitCast(self, to: (UInt, UInt).self).0 }
}
