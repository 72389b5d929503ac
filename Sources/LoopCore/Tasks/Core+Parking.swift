internal import _Concurrency

extension Core {
    /// Wakes a parked task. False if it was woken before.
    @discardableResult
    func wake(_ id: ParkID, _ wakeup: Wakeup) -> Bool {
        guard let (timer, task) = parked.wake(id, wakeup) else { return false }
        if let timer { _ = timers.cancel(timer) }
        task?.resume(wakeup)
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

    /// Suspends the task that holds a place, until it is woken.
    func suspend(_ id: ParkID, _ task: SuspendedTask<Wakeup>, until deadline: MonotonicInstant?) {
        // A wait that was woken meanwhile needs no timer.
        let timer = parked.isWaiting(id) ? deadline.map { timers.insert($0, .wake(id)) } : nil
        if let wakeup = parked.suspend(id, task, timer) { task.resume(wakeup) }
    }
}
