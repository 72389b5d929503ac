internal import _Concurrency

extension Core {
    /// Takes a place in a list for the current task, which MUST then wait in it. Nothing can come between the look that said that it has
    /// to wait and this, so that no wake goes past it. Whether the task has been cancelled is asked by the wait.
    @inline(__always)
    func takePlace(
        in list: WaitList, timeout: Duration?, for what: WaitedFor, _ loop: EventLoop
    ) throws(WaitError) -> ParkID {
        guard !isClosing else { throw .closed }
        return reserve(in: list, until: timeout.map { port.now().advanced(by: $0.wholeNanoseconds) }, for: what, loop)
    }

    /// As ``takePlace(in:timeout:for:_:)``, for a wait that neither a cancellation ends nor a timeout around it.
    func takeShieldedPlace(in list: WaitList, timeout: Duration?) throws(WaitError) -> ParkID {
        guard !isClosing else { throw .closed }
        let id = parked.reserve(in: list)
        if let timeout { startTimer(id, port.now().advanced(by: timeout.wholeNanoseconds)) }
        return id
    }

    @inline(__always)
    func reserve(in list: WaitList?, until deadline: MonotonicInstant?, for what: WaitedFor, _ loop: EventLoop) -> ParkID {
        let id = parked.reserve(in: list)
        if deadline != nil || openTimeouts > 0 { bound(id, deadline, what, loop) }
        return id
    }

    @inline(never)
    private func bound(_ id: ParkID, _ deadline: MonotonicInstant?, _ what: WaitedFor, _ loop: EventLoop) {
        let (deadline, scope) = earliest(deadline, loop)
        if let deadline { startTimer(id, deadline) }
        if let scope { parked.bound(id, by: ParkScope(scope: ScopeRef(scope), what: what)) }
    }

    private func startTimer(_ id: ParkID, _ deadline: MonotonicInstant) {
        parked[id.index].timer = timers.insert(deadline, .wake(id))
    }

    /// A wait's time is up: the timeout around it is told if it is that which bounds it.
    func timeOut(_ id: ParkID) {
        if let bound = parked.scope(of: id) { bound.scope.scope.cut(bound.what) }
        wake(id, .timedOut)
    }

    /// Wakes a parked task. False if it was woken before.
    @discardableResult
    func wake(_ id: ParkID, _ wakeup: Wakeup) -> Bool {
        guard let (timer, task) = parked.wake(id, wakeup) else { return false }
        if let timer { _ = timers.cancel(timer) }
        task?.resume(wakeup, self)
        return true
    }

    /// Wakes whoever has waited longest in a list. False if nobody waits there.
    @discardableResult
    func wakeFirst(of list: WaitList, _ wakeup: Wakeup = .signalled) -> Bool {
        guard let id = parked.first(of: list) else { return false }
        return wake(id, wakeup)
    }

    /// Wakes everybody in a list.
    func wakeAll(of list: WaitList, _ wakeup: Wakeup = .signalled) {
        while wakeFirst(of: list, wakeup) {}
    }

    /// The loop ends: nobody waits on it any longer.
    func wakeEverybody() {
        for id in parked.all() { wake(id, .closed) }
    }
}
