public import _Concurrency

extension EventLoop {
    // SAFETY: what holds the reference (a task, a pinned actor) retains the loop.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe asUnownedSerialExecutor() }

    // SAFETY: as above.
    public nonisolated func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }

    // SAFETY: as above.
    public nonisolated func asUnownedTaskExecutor() -> UnownedTaskExecutor { unsafe UnownedTaskExecutor(ordinary: self) }

    public nonisolated func isIsolatingCurrentContext() -> Bool? { thread.isCurrent }

    public nonisolated func checkIsolated() { _ = core }

    /// Ends the process with a sentence off the loop's thread. The loop has this from two protocols, as an actor and as an executor, which
    /// mean the same.
    public nonisolated func preconditionIsolated() { _ = core }

    /// Queues a job: directly on the loop's thread, through the mailbox from any other. After the loop has ended the job still runs, on
    /// the thread that brings it, so that whoever awaits it learns that the loop is closed.
    public nonisolated func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if let core = coreIfHere { return core.enqueue(job) }
        if case .closed = mailbox.post(.job(job)) { runLate() }
    }

    /// Runs a function on the loop's thread, later and in order. Callable from any thread; never calls it from within.
    public nonisolated func post(_ call: consuming @escaping @Sendable (isolated EventLoop) -> Void) {
        if let core = coreIfHere { return core.ready.append(.call(call)) }
        if case .closed = mailbox.post(.call(call)) { runLate() }
    }

    /// Asks for an awaited operation to end. Runs inside `Task.cancel()`, on any thread, perhaps within a call of ours: it only posts.
    nonisolated func postCancel(_ id: OperationID) {
        if let core = coreIfHere { return core.postedCancels.append(id) }
        if case .closed = mailbox.post(.cancel(id)) { runLate() }
    }

    /// As ``postCancel(_:)``, for a task that waits for something else.
    nonisolated func postWake(_ id: ParkID) {
        if let core = coreIfHere { return core.postedWakes.append(id) }
        if case .closed = mailbox.post(.wake(id)) { runLate() }
    }

    /// Says that a fiber's task has been cancelled: its wait, if it is in one, is to end.
    nonisolated func postCancel(of fiber: TaskIdentity) {
        if let core = coreIfHere { return core.fibers.hasCancelled(fiber) }
        if case .closed = mailbox.post(.cancelFiber(fiber)) { runLate() }
    }

    /// Sends the completion of an operation that finished elsewhere.
    nonisolated func postCompletion(_ id: OperationID, _ completion: Completion) {
        if case .closed = mailbox.post(.complete(id, completion)) { runLate() }
    }

    /// Works off what was sent to a loop that has ended, on the thread that sent it. One thread at a time; the loser's mail is the
    /// winner's to find, because the winner looks once more after it has left.
    nonisolated func runLate() {
        repeat {
            guard thread.enter() else { return }
            let core = core
            repeat {
                core.takeMail(mailbox)
                core.sendPostedCancels()
                core.tellSettled()
                core.releaseYielded()
                core.runReadyJobs(self)
            } while !core.isDrained
            thread.leave()
        } while !mailbox.isEmpty
    }
}
