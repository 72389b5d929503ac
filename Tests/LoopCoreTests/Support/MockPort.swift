import LoopCore

/// The smallest completion port there can be: the test is its kernel, and this file is a tutorial of the contract.
///
/// A verb answers what ``answer`` says. A packet comes when the test calls ``finish(_:_:)``, and one that nobody finishes never comes.
/// The clock stands still, but for a wait that sleeps up to its bound. Numbers in brackets are clauses of ``CompletionPort``.
final class MockPort: CompletionPort {
    /// What was asked of the port, in order: "read", "cancel", "wait" …; tests add lines of their own.
    let journal = Journal()
    var clock = MonotonicInstant(nanoseconds: 1_000_000_000)
    var clockReads = 0
    /// What the processor was to fetch.
    var fetched: [UInt] = []
    /// Every operation that a verb was given, whatever it answered.
    var requests: [PortRequest] = []
    /// How long each wait was allowed to block.
    var bounds: [WaitBound] = []
    /// The batch of the next waits.
    private var packets: [Packet] = []

    // What the test decides.
    var answer: (PortRequest) -> Submission = { _ in .owesPacket }
    var driver = Driver.obedient
    /// How many packets a wait hands out at most; while there are more the port says that it has something to do.
    var shareMax = Int.max
    var refusal: AssociationError?
    /// Runs when a wait finds nothing to hand out: what the world does while the loop sleeps.
    var asleep: () -> Void = {}

    var isClosed = false
    /// Handles that an accept made and that the port was told to close.
    var closedAcquired: [NativeHandle] = []

    /// How the driver takes a request to cancel (C3).
    enum Driver {
        /// It ends the operation, and the packet says so.
        case obedient
        /// It takes the request and never answers.
        case stuck
        /// It had finished before: the packet is on its way, and it is a success.
        case tooLate
        /// The system says no.
        case refusing
    }

    let mockWaker = MockWaker()
    var waker: any PortWaker { mockWaker }
    var pollableHandle: NativeHandle? { nil }
    var portMetrics = PortMetrics()
    var nextDeadline: MonotonicInstant? { shareMax == .max || packets.isEmpty ? nil : MonotonicInstant(nanoseconds: 0) }

    func now() -> MonotonicInstant {
        clockReads += 1
        return clock
    }

    // MARK: handles

    func associate(_ handle: NativeHandle, as key: HandleKey, options: AssociationOptions) throws(AssociationError) {
        journal.add("associate")
        if let refusal { throw refusal }
    }

    func dissociate(_ handle: NativeHandle, as key: HandleKey) { journal.add("dissociate") }

    func close(acquired handle: NativeHandle) { closedAcquired.append(handle) }

    // MARK: operations

    /// An adapter's own call: zero and 997 (pending) owe a packet, everything else is refused (C1).
    func classify(_ code: Int32) -> Submission { code == 0 || code == 997 ? .owesPacket : .refused(SystemCode(rawValue: code)) }

    /// A request: whatever is answered here, the packet alone retires the operation.
    func cancel(_ request: PortRequest) -> CancelAnswer {
        journal.add("cancel")
        switch driver {
        case .obedient: finish(request, MockPort.aborted)
        case .stuck: break
        case .tooLate: finish(request, Completion(count: 1))
        case .refusing: return .refused(SystemCode(rawValue: 5))
        }
        return .requested
    }

    /// As every packet of this port that ends an operation early (C5).
    var abortedCompletion: Completion { MockPort.aborted }

    // SAFETY: the block is handed back as it came.
    func post(_ block: UnsafeMutableRawPointer, _ completion: Completion) {
        journal.add(isClosed ? "post after close" : "post")
        unsafe packets.append(Packet(key: .operation, block: block, completion: completion))
    }

    /// Hands out what is finished. Only where nothing is does it sleep, until its bound or a wake.
    // SAFETY: places of the batch below the count that is returned.
    func wait(into batch: UnsafeMutableBufferPointer<Packet>, for bound: WaitBound) -> Int {
        journal.add("wait")
        bounds.append(bound)
        if packets.isEmpty { block(bound) }
        let count = min(packets.count, batch.count, shareMax)
        for place in 0..<count { unsafe batch[place] = packets[place] }
        packets.removeFirst(count)
        return count
    }

    private func block(_ bound: WaitBound) {
        asleep()
        guard packets.isEmpty else { return }
        switch bound {
        case .poll: _ = mockWaker.takeWake()
        case .until(let instant): if !mockWaker.takeWake() { clock = max(clock, instant) }
        case .forever: mockWaker.waitForWake()
        }
    }

    func report(_ sentence: String) { journal.add(sentence) }

    func fetch(_ memory: UnsafeRawPointer, bytes: Int) { fetched.append(UInt(bitPattern: memory)) }

    func close() {
        journal.add("close")
        isClosed = true
    }

    // MARK: verbs

    func read(_ request: PortRequest, at offset: FileOffset?) -> Submission { begin("read", request) }
    func write(_ request: PortRequest, count: Int, at offset: FileOffset?) -> Submission { begin("write", request) }
    func write(_ request: PortRequest, segments: [Range<Int>], at offset: FileOffset?) -> Submission { begin("write", request) }
    func receive(_ request: PortRequest) -> Submission { begin("receive", request) }
    func send(_ request: PortRequest, count: Int) -> Submission { begin("send", request) }
    func accept(_ request: PortRequest) -> Submission { begin("accept", request) }
    func connect(_ request: PortRequest) -> Submission { begin("connect", request) }
    func poll(_ request: PortRequest, _ interest: Readiness) -> Submission { begin("poll", request) }
    func attempt(_ request: PortRequest, _ direction: Direction?, _ body: @escaping (NativeHandle) -> AttemptResult) -> Submission {
        begin("attempt", request)
    }

    private func begin(_ verb: String, _ request: PortRequest) -> Submission {
        journal.add(verb)
        requests.append(request)
        return answer(request)
    }

    // MARK: what the test does as the kernel

    /// What a packet says of an operation that was cancelled.
    static let aborted = Completion(
        count: 0, error: SystemCode(rawValue: 125), status: RawStatus(rawValue: 125), severity: .aborted)

    /// Lets the one packet of an operation come: it is in the batch of the next wait (C1).
    // SAFETY: the packet carries the address that the request did.
    func finish(_ request: PortRequest, _ completion: Completion) {
        unsafe packets.append(Packet(key: .operation, block: request.block, completion: completion))
    }

    /// Writes to an operation's buffer, as the kernel may until it hands out the packet (C2), and lets the packet come.
    // SAFETY: at most as many bytes as the buffer has.
    func finish(_ request: PortRequest, bytes: [UInt8]) {
        unsafe request.buffer.copyBytes(from: bytes.prefix(request.buffer.count))
        finish(request, Completion(count: bytes.count))
    }
}
