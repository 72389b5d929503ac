internal import _Concurrency

extension Core {
    /// Takes a place in a list for the current task, which MUST then wait in it. Nothing can come between the look that said that it has
    /// to wait and this, so that no wake goes past it. Whether the task has been cancelled is asked by the wait.
    func takePlace(
        in list: WaitList, timeout: Duration?, for what: WaitedFor, _ loop: EventLoop
    ) throws(WaitError) -> WaitPlace {
        guard !isClosing else { throw .closed }
        return reserve(in: list, until: timeout.map { port.now().advanced(by: $0.wholeNanoseconds) }, for: what, loop)
    }

    /// As ``takePlace(in:timeout:for:_:)``, for a wait that neither a cancellation ends nor a timeout around it.
    func takeShieldedPlace(in list: WaitList, timeout: Duration?, for what: WaitedFor) throws(WaitError) -> WaitPlace {
        guard !isClosing else { throw .closed }
        let deadline = timeout.map { port.now().advanced(by: $0.wholeNanoseconds) }
        return WaitPlace(id: parked.reserve(in: list), deadline: deadline, scope: nil, what: what)
    }

    func reserve(in list: WaitList?, until deadline: MonotonicInstant?, for what: WaitedFor, _ loop: EventLoop) -> WaitPlace {
        let (deadline, scope) = earliest(deadline, loop)
        return WaitPlace(id: parked.reserve(in: list), deadline: deadline, scope: scope.map(ScopeRef.init), what: what)
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
