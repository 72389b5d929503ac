public import LoopCore

/// A completion port without a kernel: the shortest way to learn what a port owes, and a kit to test adapters with.
///
/// Nothing here sleeps. The port lives on a ``VirtualClock``; a wait with nothing to hand out jumps to the next thing that will happen, or
/// to its bound. What happens, and in which order, is drawn from a seed: the same seed and the same calls give the same packets. What may
/// go wrong is a value, ``SimulatedFaults``, which can be changed at any time.
///
/// ```swift
/// let port = SimulatedPort(seed: 7)
/// let (near, far) = port.makeStreamPair()
/// let loop = EventLoop(port: port)
/// let ops = loop.operationsOnThisThread()
/// let handle = try ops.associate(near)
/// try ops.perform(on: handle, capacity: 64, timeout: .seconds(2)) { $0.read() } completed: { id, end in
///     print(end, (try? ops.result(id))?.copyBytes() ?? [])
/// }
/// port.after(1_000_000) { _ = port.feed(far, Array("hello".utf8)) }
/// loop.turn()     // at one millisecond: the packet
/// ```
///
/// Read on in this order: the requirements below, each with what it owes; ``SimulatedKernel``, through which an operation goes from start
/// to packet; the objects in World/, which do the work; SimulatedPort+World.swift, what a test may do to them.
///
/// It is Sendable so that fibers may name it, and it is used on one thread: every call checks that, and traps.
public final class SimulatedPort: CompletionPort, Sendable {
    // Behind the check of the thread in `kernel`.
    private nonisolated(unsafe) let machinery: SimulatedKernel
    private let owner: UInt
    /// The clock it lives on.
    public let clock: VirtualClock
    /// Threads, names, processes and signals, with what tests can do to them. On the port's thread.
    public let simulatedSystem: SimulatedSystem
    /// Its waker, with what tests can do to wakes and threads.
    public let simulatedWaker: SimulatedWaker

    /// A port of the calling thread, with no handles.
    // SAFETY: see `kernel`.
    public init(
        seed: UInt64 = 0, faults: SimulatedFaults = .none, clock: VirtualClock = VirtualClock(),
        waker: SimulatedWaker = SimulatedWaker()
    ) {
        self.clock = clock
        simulatedWaker = waker
        owner = waker.currentThread()
        let kernel = SimulatedKernel(clock: clock, waker: waker, seed: seed, faults: faults)
        unsafe machinery = kernel
        simulatedSystem = SimulatedSystem(kernel)
    }

    // SAFETY: nobody else has a reference any more.
    deinit {
        let kernel = unsafe machinery
        for object in kernel.objects.removeAll() { object.hangUp(kernel) }
    }

    /// The kernel, for the port's own thread (C11).
    // SAFETY: one thread uses it, and this is that thread.
    var kernel: SimulatedKernel {
        guard simulatedWaker.currentThread() == owner else {
            trap("A simulated port was used off its thread. It belongs to the thread that made it, and so does its loop.")
        }
        return unsafe machinery
    }

    // MARK: what any thread may touch

    public var waker: any PortWaker { simulatedWaker }

    public var system: (any SystemServices)? { simulatedSystem }

    // MARK: handles

    /// Time is what the clock says; it passes in ``wait(into:for:)``.
    public func now() -> MonotonicInstant { clock.now }

    /// The kernel binds the object, not its number: from here on operations name both, and a number that has changed hands fails (C13).
    public func associate(_ handle: NativeHandle, as key: HandleKey, options: AssociationOptions) throws(AssociationError) {
        try kernel.associate(handle, as: key)
    }

    /// Operations that are still parked, because their driver is stuck, stay parked: their packet may yet come, and finds an orphan.
    public func dissociate(_ handle: NativeHandle, as key: HandleKey) { kernel.dissociate(handle, as: key) }

    /// After the end of the port any thread may drop the last result; the numbers are nobody's then.
    // SAFETY: whether the port has ended does not change any more once it has.
    public func close(acquired handle: NativeHandle) {
        if unsafe !machinery.isClosed { kernel.close(handle) }
    }

    // MARK: operations

    /// Zero, pending and the two warnings owe a packet. ERROR_PIPE_CONNECTED is success without one. Everything else is an error (C1).
    public func classify(_ code: Int32) -> Submission {
        switch SystemCode(rawValue: code) {
        case .none, .simulatedPending, SimulatedStatus.moreData.error, .messageSize: .owesPacket
        case .pipeConnected: .completed(Completion(count: 0))
        case let error: .refused(error)
        }
    }

    /// A request: what is parked ends with an aborted packet, now or later; what is finished stays finished; the packet decides (C3).
    public func cancel(_ request: PortRequest) -> CancelAnswer { kernel.cancel(request) }

    public var abortedCompletion: Completion { SimulatedStatus.cancelled.completion() }

    // SAFETY: the block goes back to its owner in a packet and is not looked at.
    public func post(_ block: UnsafeMutableRawPointer, _ completion: Completion) {
        // A loop that has ended works off late mail on any thread; its packets are nobody's.
        if unsafe !machinery.isClosed { kernel.queue(unsafe Packet(key: .operation, block: block, completion: completion)) }
    }

    /// First what is due, then, if that brought nothing, sleep. The packets come out in the order in which they were queued.
    // SAFETY: `handOut` returns at most as many packets as the batch has places.
    public func wait(into batch: UnsafeMutableBufferPointer<Packet>, for bound: WaitBound) -> Int {
        let kernel = kernel
        kernel.metrics.kernelWaits += 1
        if bound != .poll { kernel.metrics.blockingWaits += 1 }
        kernel.happen()
        kernel.sleep(bound)
        var count = 0
        for (packet, _) in kernel.handOut(batch.count) {
            unsafe batch[count] = packet
            count += 1
        }
        return count
    }

    /// Any thread may end the port, if it is the last that knows it.
    // SAFETY: the loop closes its port on its own thread, or when nobody else has a reference to the loop.
    public func close() { unsafe machinery.close() }

    /// There is no descriptor a host could poll.
    public var pollableHandle: NativeHandle? { nil }

    public var portMetrics: PortMetrics { kernel.metrics }

    // MARK: portable verbs

    public func read(_ request: PortRequest, at offset: FileOffset?) -> Submission { kernel.start(.read(offset), request) }

    public func write(_ request: PortRequest, count: Int, at offset: FileOffset?) -> Submission {
        kernel.start(.write([0..<count], offset), request)
    }

    public func write(_ request: PortRequest, segments: [Range<Int>], at offset: FileOffset?) -> Submission {
        kernel.start(.write(segments, offset), request)
    }

    public func receive(_ request: PortRequest) -> Submission { kernel.start(.receive, request) }

    public func send(_ request: PortRequest, count: Int) -> Submission { kernel.start(.send(count), request) }

    public func accept(_ request: PortRequest) -> Submission { kernel.start(.accept, request) }

    public func connect(_ request: PortRequest) -> Submission { kernel.start(.connect, request) }

    public func poll(_ request: PortRequest, _ interest: Readiness) -> Submission { kernel.start(.poll(interest), request) }

    /// The adapter's function is called from here or from a later ``wait(into:for:)``, while every queue is whole. It does its work with
    /// ``feed(_:_:)`` and ``drain(_:max:)``, which are this kernel's non-blocking calls.
    public func attempt(_ request: PortRequest, _ direction: Direction?, _ body: @escaping (NativeHandle) -> AttemptResult) -> Submission {
        kernel.start(.attempt(direction, body), request)
    }
}
