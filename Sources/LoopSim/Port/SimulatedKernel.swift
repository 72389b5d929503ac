internal import LoopCore

/// The kernel behind a simulated port: objects, the operations that run on them, and what is going to happen when.
///
/// An operation goes one way through it:
///
///     start ──► parked at its object ──► served: work is done, bytes move ──► finished ──► packet queued ──► handed out
///
/// Time passes only in ``sleep(_:)``, which jumps from one scheduled event to the next. Everything random is drawn from one generator in
/// the order in which things happen, and nothing is ever looked up in the order of a dictionary: so a seed replays.
final class SimulatedKernel {
    let clock: VirtualClock
    let waker: SimulatedWaker
    var faults: SimulatedFaults
    var bug: KernelBug?
    var random: SimulatedRandom
    var objects = ObjectTable()
    var metrics = PortMetrics()
    var isClosed = false
    /// What to do when a wait could go on for ever. Nil: that is a deadlock, and the process ends with a sentence.
    var whenIdle: (() -> IdleAnswer)?

    /// What owes a packet, by the address of its block.
    private var operations: [UInt: SimulatedOperation] = [:]
    private var stuck: [SimulatedOperation] = []
    private var lastStarted: LentMemory?
    private var lastOrder: UInt64 = 0
    private var events = EventQueue<SimulatedEvent>()
    /// Packets that the next wait hands out.
    private var finished: [(packet: Packet, operation: SimulatedOperation?)] = []
    /// Objects at which something has changed, so that what is parked there is looked at again.
    private var touched: [SimulatedObject] = []
    private var isSettling = false
    private var isWoken = false

    init(clock: VirtualClock, waker: SimulatedWaker, seed: UInt64, faults: SimulatedFaults) {
        self.clock = clock
        self.waker = waker
        self.faults = faults
        random = SimulatedRandom(seed: seed)
    }

    // MARK: an operation begins

    func start(_ verb: SimulatedVerb, _ request: PortRequest) -> Submission {
        guard let object = objects[request.handle], object.key == request.key else { return .refused(SimulatedStatus.invalidHandle.error) }
        return start(verb, LentMemory(request), at: object)
    }

    func start(_ verb: SimulatedVerb, _ memory: LentMemory, at object: SimulatedObject) -> Submission {
        guard !isClosed, !random.happens(faults.refusesOperations) else { return .refused(SimulatedStatus.noResources.error) }
        lastOrder += 1
        let operation = SimulatedOperation(verb, memory, object, random.fate(verb, faults), order: lastOrder)
        lastStarted = memory
        operations[memory.blockAddress] = operation
        memory.begin()
        if operation.fate == .stuck {
            operation.phase = .stuck
            stuck.append(operation)
            return .owesPacket
        }
        object.park(operation, verb.lane)
        if random.happens(faults.startsLate) {
            operation.notBefore = later()
            events.insert(.look(object), due: operation.notBefore)
        }
        touch(object)
        settle()
        return answer(operation)
    }

    /// Work that is done already may be the answer itself, if the caller allows that. Otherwise a packet is owed, done or not (C1).
    private func answer(_ operation: SimulatedOperation) -> Submission {
        guard case .finished(let completion) = operation.phase else {
            operation.phase = .parked
            return .owesPacket
        }
        if operation.memory.inline == .allowed, random.happens(faults.answersInline) {
            operations[operation.memory.blockAddress] = nil
            return .completed(completion)
        }
        queuePacket(operation, completion)
        return .owesPacket
    }

    // MARK: work is done

    /// Notes that something has changed at an object. ``settle()`` looks.
    func touch(_ object: SimulatedObject) { touched.append(object) }

    /// Lets everything parked at the touched objects try again, until nothing moves. What is done there may touch others. An adapter's own
    /// function may come back here from within: then the call that is under way sees to what that function did.
    func settle() {
        guard !isSettling else { return }
        isSettling = true
        while let object = touched.popLast() { serve(object) }
        isSettling = false
    }

    private func serve(_ object: SimulatedObject) {
        // A closed object makes no progress: its operations end by a cancel, or with the next owner of its number (C13).
        guard object.handle != .invalid else { return }
        serve(object, .reads)
        serve(object, .writes)
        for operation in object.parkedPolls { servePoll(operation, object) }
    }

    /// One queue, strictly in order: whoever is behind an operation that cannot go on waits too, or a stream would be torn.
    private func serve(_ object: SimulatedObject, _ lane: Lane) {
        while let operation = object.head(lane), operation.notBefore <= clock.now {
            if let completion = perform(operation, object, lane) {
                finish(operation, completion)
            } else if object.head(lane) === operation {
                return
            }
        }
    }

    private func perform(_ operation: SimulatedOperation, _ object: SimulatedObject, _ lane: Lane) -> Completion? {
        guard case .attempt(_, let body) = operation.verb else { return object.perform(operation, self) }
        switch body(object.handle) {
        case .done(let count): return SimulatedStatus.success.completion(count: count)
        case .failed(let code): return Completion(count: 0, error: code, status: SimulatedStatus.deviceError.status, severity: .error)
        case .wouldBlock(let direction):
            let wanted: Lane = direction == .read ? .reads : .writes
            if wanted != lane {
                object.unpark(operation)
                object.park(operation, wanted)
            }
            return nil
        }
    }

    /// Polls stand outside the queues: each is answered as soon as what it asks for is there.
    private func servePoll(_ operation: SimulatedOperation, _ object: SimulatedObject) {
        guard case .poll(let interest) = operation.verb, operation.notBefore <= clock.now else { return }
        let found = object.readiness.intersection(interest.union([.hangup, .failed]))
        if operation.fate == .failing { return finish(operation, SimulatedStatus.deviceError.completion()) }
        if !found.isEmpty { finish(operation, SimulatedStatus.success.completion(count: Int(found.rawValue))) }
    }

    /// The work is over, one way or another: the block says so, and unless the call is still under way a packet goes out.
    func finish(_ operation: SimulatedOperation, _ completion: Completion) {
        guard !operation.isFinished else { return }
        let isUnderWay: Bool
        if case .starting = operation.phase { isUnderWay = true } else { isUnderWay = false }
        operation.object.unpark(operation)
        operation.phase = .finished(completion)
        operation.memory.end(completion)
        if !isUnderWay { queuePacket(operation, completion) }
        if case .write = operation.verb, operation.moved > 0, completion.severity != .success { failWrites(behind: operation) }
    }

    /// A write was cut off in the middle. Were the next one to follow, its bytes would continue somebody else's sentence.
    private func failWrites(behind operation: SimulatedOperation) {
        for next in operation.object.parkedWrites { finish(next, SimulatedStatus.requestAborted.completion(count: next.moved)) }
    }

    /// Completes the operation that was started last, unless its driver has lost it.
    func finishLast(_ completion: Completion) {
        guard let lastStarted, let operation = operations[lastStarted.blockAddress], case .parked = operation.phase else { return }
        finish(operation, completion)
    }

    private func queuePacket(_ operation: SimulatedOperation, _ completion: Completion) {
        let packet = operation.memory.packet(completion)
        if random.happens(faults.reordersPackets) {
            events.insert(.packet(packet, operation), due: later())
        } else {
            finished.append((packet, operation))
        }
    }

    /// Queues a packet that no verb owes: one that somebody else completed.
    func queue(_ packet: Packet) { finished.append((packet, nil)) }

    // MARK: an operation is asked to end

    func cancel(_ request: PortRequest) -> CancelAnswer {
        guard !isClosed, let operation = operations[LentMemory(request).blockAddress] else { return .notFound }
        switch operation.phase {
        case .finished: return random.happens(faults.acceptsLateCancels) ? .requested : .notFound
        case .stuck: return .requested  // The driver heard it. It does nothing.
        case .starting, .parked: break
        }
        if random.happens(faults.refusesCancels) {
            metrics.refusedCancels += 1
            return .refused(SimulatedStatus.notSupported.error)
        }
        operation.isEnding = true
        if random.happens(faults.slowCancels) {
            events.insert(.abort(operation), due: later())
        } else {
            abort(operation)
        }
        return .requested
    }

    /// Ends a parked operation with what it has moved so far. The packet still says how much that was (C4).
    func abort(_ operation: SimulatedOperation) {
        guard case .parked = operation.phase else { return }
        var count = operation.moved
        if operation.verb.isInput, operation.object.head(.reads) === operation, random.happens(faults.abortsWithBytes) {
            count = operation.object.take(operation.memory.capacity, self).map { operation.memory.put($0) } ?? 0
        }
        finish(operation, SimulatedStatus.cancelled.completion(count: count))
        touch(operation.object)
        settle()
    }

    /// Whether the packet of an operation is ready, or on its way.
    func isAnswering(_ block: UInt) -> Bool {
        guard let operation = operations[block] else { return false }
        return operation.isFinished || operation.isEnding
    }

    /// Gives up the operations a driver has lost: each is aborted after all.
    func releaseStuck() {
        let lost = stuck
        stuck = []
        for operation in lost { finish(operation, SimulatedStatus.cancelled.completion()) }
    }

    /// Ends whatever has not finished, in the order in which it began.
    func abortEverything() {
        releaseStuck()
        for operation in operations.values.sorted(by: { $0.order < $1.order }) { abort(operation) }
    }

    // MARK: time passes

    /// Everything that is due happens, in order.
    func happen() {
        noteWake()
        while let event = events.takeDue(clock.now) {
            switch event {
            case .look(let object):
                touch(object)
                settle()
            case .packet(let packet, let operation): finished.append((packet, operation))
            case .abort(let operation): abort(operation)
            case .wake: isWoken = true
            case .call(let call):
                call()
                noteWake()
            }
        }
    }

    private func noteWake() {
        guard waker.take() else { return }
        if faults.wakeDelayNanoseconds == 0 { isWoken = true } else { schedule(.wake, after: faults.wakeDelayNanoseconds) }
    }

    /// Sleeps until a packet is there, a wake arrives, or the bound is reached: by jumping from event to event.
    func sleep(_ bound: WaitBound) {
        guard var limit = bound.limit, finished.isEmpty, !isWoken, !random.happens(faults.returnsEarly) else { return }
        if limit < .distantFuture, random.happens(faults.spuriousWakes) {
            limit = clock.now.advanced(by: limit.nanoseconds(since: clock.now) / 2)
        }
        while finished.isEmpty, !isWoken, clock.now < limit {
            let next = min(events.nextDue ?? .distantFuture, limit)
            if next < .distantFuture {
                clock.advance(to: next)
            } else if idle() == .returnEarly {
                return
            }
            happen()
        }
    }

    private func idle() -> IdleAnswer {
        guard !waker.isPending else { return .lookAgain }
        guard let whenIdle else {
            trap(
                """
                deadlock: nothing is scheduled. The loop waits without a bound, no operation can finish and no timer is set. Feed the \
                other end, schedule something with after(_:_:), or set whenIdle(_:).
                """)
        }
        return whenIdle()
    }

    func schedule(_ event: SimulatedEvent, after nanoseconds: UInt64) {
        events.insert(event, due: clock.now.advanced(by: nanoseconds))
    }

    private func later() -> MonotonicInstant {
        clock.now.advanced(by: UInt64(1 + random.below(Int(clamping: faults.delayMaxNanoseconds))))
    }

    // MARK: packets go out

    /// At most `countMax` packets, oldest first. From here on their memory is the ledger's again (C2), and a wake has been answered.
    func handOut(_ countMax: Int) -> ArraySlice<(packet: Packet, operation: SimulatedOperation?)> {
        if random.happens(faults.foreignPackets) { queueForeignPacket() }
        isWoken = false
        let out = finished.prefix(countMax)
        finished.removeFirst(out.count)
        for (_, operation) in out {
            guard let operation, operations[operation.memory.blockAddress] === operation else { continue }
            operations[operation.memory.blockAddress] = nil
        }
        return out
    }

    /// A stranger's packet, made to look as much like one of ours as it can: only its key tells.
    private func queueForeignPacket() {
        guard var packet = lastStarted?.packet(SimulatedStatus.success.completion(count: 1)) else { return }
        packet.key = PacketKey(rawValue: random.next() & ~PacketKey.operation.rawValue)
        queue(packet)
    }

    /// Ends the port: nothing that is under way gets a packet any more (C10).
    func close() {
        isClosed = true
        for operation in operations.values { operation.object.unpark(operation) }
        stuck = []
        finished = []
        events.removeAll()
        // It may be what keeps the port.
        whenIdle = nil
    }
}

/// What a wait answers that has nothing to wait for.
public enum IdleAnswer: UInt8, Sendable {
    /// Something was done about it: look again.
    case lookAgain
    /// Return with nothing.
    case returnEarly
}

/// What is going to happen.
enum SimulatedEvent {
    case look(SimulatedObject)
    case packet(Packet, SimulatedOperation)
    case abort(SimulatedOperation)
    case wake
    case call(() -> Void)
}

extension WaitBound {
    /// When a wait must be over; nil where it must not block at all.
    var limit: MonotonicInstant? {
        switch self {
        case .poll: nil
        case .until(let instant): instant
        case .forever: .distantFuture
        }
    }
}
