import LoopCore
import LoopSim

/// A port that says what a test tells it to say, true or not.
final class LyingPort: CompletionPort {
    let clock = VirtualClock()
    let simulatedWaker = SimulatedWaker()
    var submission = Submission.owesPacket
    var cancelAnswer = CancelAnswer.requested
    /// What the next wait hands out, and how many places it says it has filled if that is not their number.
    var packets: [Packet] = []
    var claimedCount: Int?
    /// What happens inside the next wait.
    var duringWait: () -> Void = {}

    var waker: any PortWaker { simulatedWaker }
    func now() -> MonotonicInstant { clock.now }
    func associate(_ handle: NativeHandle, as key: HandleKey, options: AssociationOptions) throws(AssociationError) {}
    func dissociate(_ handle: NativeHandle, as key: HandleKey) {}
    func close(acquired handle: NativeHandle) {}
    func classify(_ code: Int32) -> Submission { submission }
    func cancel(_ request: PortRequest) -> CancelAnswer { cancelAnswer }
    var abortedCompletion: Completion { SimulatedStatus.cancelled.completion() }
    func post(_ block: UnsafeMutableRawPointer, _ completion: Completion) {}
    func wait(into batch: UnsafeMutableBufferPointer<Packet>, for bound: WaitBound) -> Int {
        duringWait()
        duringWait = {}
        for (place, packet) in packets.enumerated() { unsafe batch[place] = packet }
        defer { packets = [] }
        return claimedCount ?? packets.count
    }
    func close() {}
    var pollableHandle: NativeHandle? { nil }
    var portMetrics: PortMetrics { PortMetrics() }
    func read(_ request: PortRequest, at offset: FileOffset?) -> Submission { submission }
    func write(_ request: PortRequest, count: Int, at offset: FileOffset?) -> Submission { submission }
    func write(_ request: PortRequest, segments: [Range<Int>], at offset: FileOffset?) -> Submission { submission }
    func receive(_ request: PortRequest) -> Submission { submission }
    func send(_ request: PortRequest, count: Int) -> Submission { submission }
    func accept(_ request: PortRequest) -> Submission { submission }
    func connect(_ request: PortRequest) -> Submission { submission }
    func poll(_ request: PortRequest, _ interest: Readiness) -> Submission { submission }
    func attempt(_ request: PortRequest, _ direction: Direction?, _ body: @escaping (NativeHandle) -> AttemptResult) -> Submission {
        submission
    }
}

/// A checked port around a liar, with the memory of two operations and the list of breaches found.
@safe final class CheckedRig {
    let liar: LyingPort
    let port: CheckedPort
    private let found = Found()
    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1024, alignment: 64)
    private let batch = UnsafeMutableBufferPointer<Packet>.allocate(capacity: 4)
    static let handle = NativeHandle(rawValue: 7)
    static let key = HandleKey(slot: 0, generation: 1)

    private final class Found { var breaches: [ContractBreach] = [] }

    init() {
        liar = LyingPort()
        let found = found
        nonisolated(unsafe) let shared: any CompletionPort = liar
        port = CheckedPort(unsafe shared) { found.breaches.append($0) }
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
        try? port.associate(CheckedRig.handle, as: CheckedRig.key, options: [])
    }

    deinit {
        unsafe memory.deallocate()
        unsafe batch.deallocate()
    }

    var breaches: [ContractBreach] { found.breaches }

    /// The request of an operation with a buffer of 64 bytes.
    func request(_ number: Int = 0, key: HandleKey = CheckedRig.key, inline: InlineCompletion = .never) -> PortRequest {
        let block = unsafe memory.baseAddress! + number * 512
        return unsafe PortRequest(
            block: block, buffer: UnsafeMutableRawBufferPointer(start: block + ControlBlock.bytes, count: 64), address: nil,
            handle: CheckedRig.handle, key: key, inline: inline)
    }

    func packet(_ completion: Completion, _ number: Int = 0) -> Packet {
        unsafe Packet(key: .operation, block: request(number).block, completion: completion)
    }

    /// Writes into the buffer of an operation, as a driver would.
    func scribble(_ place: Int, _ number: Int = 0) { unsafe request(number).buffer[place] = 1 }

    func wait(_ bound: WaitBound = .poll) -> Int { unsafe port.wait(into: batch, for: bound) }

    /// Starts a read and lets the port hand out a packet for it.
    func read(_ completion: Completion) {
        _ = port.read(request(), at: nil)
        liar.packets = [packet(completion)]
        _ = wait()
    }
}
