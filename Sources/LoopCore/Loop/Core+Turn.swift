internal import _Concurrency

extension Core {
    /// Sorts what other threads sent. Most turns find nothing.
    @inline(__always)
    func takeMail(_ mailbox: Mailbox) { if !mailbox.isEmpty { sortMail(mailbox) } }

    @inline(never)
    private func sortMail(_ mailbox: Mailbox) {
        mailbox.takeAll { mail in
            switch consume mail {
            case .job(let job): ready.append(job)
            case .call(let call): ready.append(.call(call))
            case .cancel(let id): postedCancels.append(id)
            case .wake(let id): postedWakes.append(id)
            case .cancelFiber(let task): fibers.hasCancelled(task)
            case .complete(let id, let completion): complete(id, completion)
            }
        }
    }

    /// A completion that came from elsewhere becomes a packet like any other.
    private func complete(_ id: OperationID, _ completion: Completion) {
        guard !isEnded else { return }  // Leaked with the loop: there is no port to post to, and nobody to tell.
        // Where a cancel came first it has sent the packet, and the result may have been taken since.
        guard let cell = ledger.slab.find(id.index, generation: id.generation), cell.record.completer != .nobodyAnyMore else { return }
        if cell.record.completer == .whoeverIsFirst { cell.record.completer = .nobodyAnyMore }
        // SAFETY: the record is in the slab, so its address is the one the ledger will look for.
        unsafe port.post(cell.block, completion)
    }

    /// Runs jobs until the queue is empty or their share of the turn is used up.
    @inline(__always)
    func runReadyJobs(_ loop: EventLoop) { if !ready.isEmpty { runThem(loop) } }

    @inline(never)
    private func runThem(_ loop: EventLoop) {
        let sliceEnd = present.advanced(by: limits.jobNanosecondsPerTurnMax)
        var left = limits.jobsPerTurnMax
        let fetchesAhead = withFibers { $0.count } > Limits.fibersInCacheMax
        while left > 0, let next = ready.popFirst() {
            if fetchesAhead { fetchNext() }
            run(consume next, loop)
            left -= 1
            guard left % Limits.jobsPerClockRead == 0, !ready.isEmpty else { continue }
            if readClock() >= sliceEnd { break }
        }
        let count = UInt64(limits.jobsPerTurnMax - left)
        meters.jobs &+= count
        calls &+= count
    }

    /// Has the processor fetch the next job while the present one runs: of many tasks each has left the caches when its turn comes.
    // SAFETY: a hint about an address, which is followed by nobody.
    @inline(__always)
    private func fetchNext() {
        guard let job = ready.first?.identity, let memory = unsafe UnsafeRawPointer(bitPattern: job) else { return }
        unsafe port.fetch(memory, bytes: Limits.taskBytesFetched)
    }

    @inline(__always)
    private func run(_ next: consuming Ready, _ loop: EventLoop) {
        switch consume next {
        case .call(let call): loop.callNow(call)
        case .job(let job): run(job, loop)
        case .woken(let job, let wakeup):
            self.wakeup = wakeup
            run(job, loop)
        }
    }

    @inline(__always)
    private func run(_ job: UnownedJob, _ loop: EventLoop) {
        runningJob = job.identity
        loop.runJob(job)
        runningJob = 0
    }

    /// Queues a job of this thread. One that queues itself again, as a yield does, waits behind the next look at the port.
    @inline(__always)
    func enqueue(_ job: UnownedJob) {
        if job.identity == runningJob { return yielded.append(.job(job)) }
        ready.append(job)
    }

    /// Sends the cancels that were posted since the last turn. An id that is gone by now is nobody's business any more.
    @inline(__always)
    func sendPostedCancels() {
        guard !hasPostedCancels else { return sendThem() }
    }

    @inline(never)
    private func sendThem() {
        while let id = postedCancels.popFirst() { end(id, .cancelled) }
        while let id = postedWakes.popFirst() { wake(id, .cancelled) }
        while let wait = fibers.ended.popFirst() {
            switch wait.kind {
            case .none: break
            case .operation:
                end(OperationID(generation: wait.generation, index: CellIndex(rawValue: wait.index), ledger: ledger.number), .cancelled)
            case .parked: wake(ParkID(index: wait.index, generation: wait.generation), .cancelled)
            }
        }
    }

    /// Whether somebody has been asked to end since the last turn.
    var hasPostedCancels: Bool {
        @inline(__always) get { !postedCancels.isEmpty || !postedWakes.isEmpty || !fibers.ended.isEmpty }
    }

    /// Fires what is due, up to a limit for each turn: collected first, so that one that fires may cancel or move another of the batch.
    /// What the limit leaves is due in the next turn.
    @inline(__always)
    func fireDueTimers() { if hasDueTimers { fireThem() } }

    /// Whether a timer is due, as far as the clock was read.
    @inline(__always)
    var hasDueTimers: Bool { timers.nextDeadline.map { $0 <= present } ?? false }

    @inline(never)
    private func fireThem() {
        var left = min(timers.collectDue(now: now), limits.timersPerTurnMax)
        while left > 0, let due = timers.takeCollected() {
            left -= 1
            meters.lateness.add(now.nanoseconds(since: due.deadline))
            meters.timersFired &+= 1
            calls &+= 1
            fire(due.payload, due.deadline)
        }
    }

    private func fire(_ action: TimerAction, _ deadline: MonotonicInstant) {
        switch action {
        case .call(let call): call()
        case .deadline(let id): end(id, .timedOut)
        case .wake(let id): timeOut(id)
        case .grace(let id, let grace):
            guard let since = lookAgain(grace, deadline) else { return giveUp(id) }
            moveGrace(id, to: timers.insert(since, .grace(id, .overdue)))
        case .retireGrace(let key, let grace):
            guard ledger.handles.isCurrent(key) else { return }
            guard let since = lookAgain(grace, deadline) else { return ledger.retireGraceRanOut(key.slot, now: now) }
            ledger.handles[key.slot].entry.retireWait?.grace = timers.insert(since, .retireGrace(key, .overdue))
        }
    }

    /// Since when the port is asked once more for a packet whose grace has run out; nil where it is given up on. Once in any case, and then
    /// while it may bring more: but no longer than for another grace, whoever keeps it busy.
    private func lookAgain(_ grace: Grace, _ deadline: MonotonicInstant) -> MonotonicInstant? {
        switch grace {
        case .running: now
        case .overdue: mayBringMore && now < deadline.advanced(by: limits.cancelGraceNanoseconds) ? deadline : nil
        }
    }

    /// Whether the port may have more at once than its last batch brought: behind a full one, and where it says so itself.
    private var mayBringMore: Bool { lastBatchWasFull || port.nextDeadline.map { $0 <= now } ?? false }

    /// How long the port may block: not at all while something of ours waits to run.
    @inline(__always)
    func waitBound(_ wish: WaitBound) -> WaitBound {
        guard isIdle else { return .poll }
        guard let next = timers.nextDeadline else { return wish }
        switch wish {
        case .poll: return .poll
        case .forever: return .until(next)
        case .until(let instant): return .until(min(instant, next))
        }
    }

    /// Asks the port, and does not block where mail has come. The bound is what ``waitBound(_:)`` says, where there is anything to say.
    @inline(__always)
    func waitForPackets(_ bound: WaitBound, _ mailbox: Mailbox) -> Int {
        var bound = bound
        // Armed since before the turn looked into the mailbox, it is woken by whoever has sent since then.
        if bound != .poll, !isArmed {
            arm(mailbox)
            if !mailbox.isEmpty { bound = .poll }
        }
        if bound == .poll || meters.measuresLag {
            let now = readClock()
            if bound == .poll, mayPutOffLook(now) { return 0 }
            meters.endOfBusy(now)
        }
        let count = batch.fill(from: port, for: bound)
        lastBatchWasFull = count == batch.capacity
        wasWoken = mailbox.disarm()
        isArmed = false
        if wasWoken { meters.wakeUps &+= 1 }
        lastLook = readClock()
        meters.startOfBusy(lastLook, count)
        return count
    }

    /// Whether jobs may go on for a little before the port is asked again. A look costs as much as two yields, so a program whose fibers
    /// give way to each other would spend most of its time looking. Only a `run` puts looks off: who turns the loop himself gets one each
    /// time.
    private func mayPutOffLook(_ now: MonotonicInstant) -> Bool {
        guard run != nil, !isRunOver, !lastBatchWasFull, looksPutOff < Limits.looksPutOffMax else { return lookIsDue() }
        guard now.nanoseconds(since: lastLook) < Limits.lookNanosecondsMin else { return lookIsDue() }
        looksPutOff += 1
        return true
    }

    private func lookIsDue() -> Bool {
        looksPutOff = 0
        return false
    }

    /// Lets senders see that the loop sleeps: once, however often it is about to.
    func arm(_ mailbox: Mailbox) {
        if !isArmed { mailbox.arm() }
        isArmed = true
    }

    /// Settles the batch, every packet of it, before anybody is told.
    @inline(__always)
    func settle(_ count: Int) {
        guard count > 0 else { return }
        var settled = 0
        batch.forEach(count) { packet in
            if ledger.settles(packet) { settled &+= 1 }
        }
        ledger.countSettled(settled)
    }

    /// What the turn was woken for it does itself: left to the next turn, every wake costs a second look at the port.
    @inline(__always)
    func runMailThatWoke(_ mailbox: Mailbox, _ loop: EventLoop) {
        guard wasWoken else { return }
        takeMail(mailbox)
        runReadyJobs(loop)
    }

    /// Jobs that gave way are behind the poll now.
    @inline(__always)
    func releaseYielded() {
        inlineCompletions = 0
        if !yielded.isEmpty { releaseThem() }
    }

    @inline(never)
    private func releaseThem() {
        while let next = yielded.popFirst() {
            switch next {
            case .job(let job): ready.append(job)
            case .woken(let job, let wakeup): ready.append(job, wakeup)
            case .call: ready.append(next)
            }
        }
    }
}
