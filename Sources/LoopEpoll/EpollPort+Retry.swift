internal import LoopCore

/// How long an operation waits that wants a descriptor, memory or somebody else's queue: no edge tells when there is one again. Short
/// enough for a person not to notice, long enough to be nothing to a processor.
private let retryNanoseconds: UInt64 = 100_000_000

/// How many descriptors of one answer of the kernel's are served at a time. Reads behind each other find the kernel's code in the cache: by
/// four a request costs 2 to 3 % more, by sixteen 1 % at 64 busy connections. And what the kernel and the tasks have of so many sockets
/// stays in a second-level cache until the answers are written: by 64 a request costs fibers 7 % more at 512 (measured).
private let descriptorsPerServiceMax = 32

extension EpollPort {
    // MARK: trying

    /// Tries the operation whose turn it is. Its result; or nil, if it has to wait, and then the lane knows for what.
    func tryOnce(_ operation: Operation, _ descriptor: Descriptor, _ direction: Direction) -> Completion? {
        conclude(operation.perform(on: descriptor), operation, descriptor, direction)
    }

    /// What a try came to, as ``tryOnce(_:_:_:)`` says it.
    @inline(__always)
    func conclude(_ result: Try, _ operation: Operation, _ descriptor: Descriptor, _ direction: Direction) -> Completion? {
        let lane = descriptor.lane(direction)
        switch result {
        case .finished(let completion): return completion
        case .blocked:
            if direction == .write, let code = watchForRoom(descriptor) { return .failure(code, count: operation.record.progress) }
            lane.record.maybeReady = false
        case .gaveWay: state.record.agenda.append(descriptor)
        case .shortage:
            lane.record.maybeReady = false
            throttle(descriptor)
        }
        return nil
    }

    /// Has the kernel tell when there is room to write: by one call, the first time that there is none. If there is room again by now,
    /// changing the registration brings an edge for it. Returns what the kernel refused with.
    func watchForRoom(_ descriptor: Descriptor) -> SystemCode? {
        guard !descriptor.record.registered.contains(.writable), descriptor.record.kind != .file else { return nil }
        let wanted = descriptor.record.registered.union(.writable)
        if case .failed(let code) = kernel.register(descriptor.record.fd, .change, wanted, word: descriptor.record.word) { return code }
        descriptor.record.registered = wanted
        return nil
    }

    @inline(__always)
    func park(_ operation: Operation, _ descriptor: Descriptor, _ direction: Direction) {
        operation.record.place = direction == .read ? .reads : .writes
        descriptor.lane(direction).record.parked.append(operation)
    }

    // MARK: finishing

    /// Queues the operation's packet.
    @inline(__always)
    func finish(_ operation: Operation, _ completion: Completion) {
        guard case .none = operation.record.work else { return finishAndRelease(operation, completion) }
        operation.record.place = .finished
        operation.record.completion = completion
        state.record.ready.append(operation)
    }

    @inline(never)
    private func finishAndRelease(_ operation: Operation, _ completion: Completion) {
        let work = queuePacket(operation, completion)
        withExtendedLifetime(work) {}
    }

    /// Queues the packet and returns what the control block owned. The caller lets go of it when nothing is half changed: an adapter's
    /// function may hold the last reference to an object that calls back as it dies.
    func queuePacket(_ operation: Operation, _ completion: Completion) -> Work {
        let work = operation.takeWork()
        operation.record.place = .finished
        operation.record.completion = completion
        state.record.ready.append(operation)
        return work
    }

    // MARK: serving

    /// Goes through the next of the descriptors that were on the agenda when the kernel was last asked. One that gives way meanwhile comes
    /// after its next answer.
    func serveAgenda() {
        var left = min(state.record.dueOnAgenda, descriptorsPerServiceMax)
        state.record.dueOnAgenda -= left
        if left > 1 { state.record.agenda.forEach(first: left) { $0.reads.record.parked.first?.prefetchCell() } }
        while left > 0, let descriptor = state.record.agenda.popFirst() {
            left -= 1
            serve(descriptor)
        }
    }

    /// As ``serveAgenda()``, where the kernel's answer was about one descriptor.
    @inline(__always)
    func serveOnlyOne() {
        state.record.dueOnAgenda = 0
        if let descriptor = state.record.agenda.popFirst() { serve(descriptor) }
    }

    @inline(__always)
    private func serve(_ descriptor: Descriptor) {
        if descriptor.record.waitersAreDue { answerWaiters(descriptor) }
        if descriptor.reads.record.isWorthServing { drain(descriptor, .read) }
        if descriptor.writes.record.isWorthServing { drain(descriptor, .write) }
    }

    /// Tries the lane's operations in their order until one has to wait.
    ///
    /// Each round looks at the lane anew: an attempt's function may have submitted, cancelled, or dissociated the handle.
    @inline(__always)
    private func drain(_ descriptor: Descriptor, _ direction: Direction) {
        let lane = descriptor.lane(direction)
        while lane.record.maybeReady, !lane.record.isBusy, let operation = lane.record.parked.first {
            if operation.record.verb == .attempt {
                lane.record.parked.remove(operation)
                lane.record.isBusy = true
                let result = run(operation)
                // The lane may serve another association by now, and then the mark is not ours.
                if operation.record.key.word == descriptor.record.word { lane.record.isBusy = false }
                if let completion = settle(operation, result, isNew: false) { finish(operation, completion) }
            } else {
                // Most of what waits is a read: without the detour by its verb.
                let completion =
                    operation.record.verb == .read
                    ? conclude(operation.read(descriptor), operation, descriptor, .read) : tryOnce(operation, descriptor, direction)
                guard let completion else { return }
                lane.record.parked.remove(operation)
                finish(operation, completion)
            }
        }
    }

    // MARK: shortages

    private func throttle(_ descriptor: Descriptor) {
        state.record.metrics.shortages += 1
        if state.record.retryAt == nil { state.record.retryAt = MonotonicInstant(nanoseconds: Native.now() + retryNanoseconds) }
        guard !descriptor.record.isThrottled else { return }
        descriptor.record.isThrottled = true
        state.record.throttled.append(HandleKey(word: descriptor.record.word))
    }

    /// Puts those that wait for something scarce on the agenda when their time has come.
    func retryThrottled() {
        guard let retryAt = state.record.retryAt, Native.now() >= retryAt.nanoseconds else { return }
        state.record.retryAt = nil
        for key in state.record.throttled {
            guard let descriptor = state.record.descriptors.find(key) else { continue }
            descriptor.record.isThrottled = false
            descriptor.reads.record.maybeReady = true
            descriptor.writes.record.maybeReady = true
            state.record.agenda.append(descriptor)
        }
        state.record.throttled.removeAll(keepingCapacity: true)
    }
}
