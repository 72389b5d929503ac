import LoopCore
import LoopSim
import Synchronization
import Testing

@testable import SerialOps

/// A serial device in the simulator. Its bytes go through the simulated kernel, with all the faults of that; its control calls run on the
/// simulated helper threads and do what the test says.
final class SimulatedDevice: SerialDevice {
    let handle: NativeHandle
    let capabilities = SerialCapabilities()
    let bytesOnError: BytesOnError
    let emptyReadMeansGone: Bool
    let closesAtOnce = false
    let drainStyle: DrainStyle
    let eventStyle: EventStyle
    /// Codes that say that the device is gone.
    static let unplugged = SystemCode(rawValue: 1_617)
    private let port: SimulatedPort
    private let state = Mutex(State())
    private let hold: HandleHold
    /// Set where the system would close the handle. The simulated kernel is not told: it may be called on its own thread alone.
    private let closed: Flag

    struct State {
        var lines: ModemLines = []
        var output = (dtr: true, rts: true)
        var waiting = 0
        var counters = LineCounters()
        /// As the opening left them, where the device remembers that.
        var countedAtOpening: LineCounters?
        /// What asking for the lines throws, where that is something else than what control calls throw.
        var failureOfLines: SerialError?
        /// What control calls throw.
        var failure: SerialError?
        /// What an event wait answers at once, if it does.
        var immediateEvent: UInt8?
        var isClosing = false
    }

    init(
        _ port: SimulatedPort, _ handle: NativeHandle, asWindows: Bool = true, bytesOnError: BytesOnError = .withheld,
        drainStyle: DrainStyle = .asks, eventStyle: EventStyle = .counts, closed: Flag = Flag()
    ) {
        self.port = port
        self.handle = handle
        self.bytesOnError = bytesOnError
        self.drainStyle = drainStyle
        self.eventStyle = eventStyle
        emptyReadMeansGone = !asWindows
        self.closed = closed
        hold = HandleHold { closed.raise() }
    }

    deinit { hold.end() }

    var countedAtOpening: (LineCounters, ModemLines)? {
        state.withLock { state in state.countedAtOpening.map { ($0, state.lines) } }
    }

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    private func control<R: Sendable>(_ body: (inout State) -> R) throws(SerialError) -> R {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        return state.withLock { body(&$0) }
    }

    func configure(_ settings: SerialSettings) throws(SerialError) { try control { _ in } }

    func setLines(dtr: Bool?, rts: Bool?) throws(SerialError) {
        try control { state in state.output = (dtr ?? state.output.dtr, rts ?? state.output.rts) }
    }

    func inputLines() throws(SerialError) -> ModemLines {
        if let failure = state.withLock({ $0.failureOfLines }) { throw failure }
        return try control { $0.lines }
    }

    func setBreak(_ isOn: Bool) throws(SerialError) { try control { _ in } }

    func queues() throws(SerialError) -> SerialQueues { try control { SerialQueues(input: 0, output: $0.waiting) } }

    func discard(_ what: SerialDirections) throws(SerialError) { try control { _ in } }

    func sending() throws(SerialError) -> SendingState { try control { SendingState(waiting: $0.waiting, isIdle: nil) } }

    func flush() throws(SerialError) { try control { _ in } }

    func counters() throws(SerialError) -> LineCounters { try control { $0.counters } }

    // SAFETY: the simulated kernel is given the memory that the seam lends for this call, and nothing else.
    func waitForEvent(_ op: consuming PreparedOp) -> Decision {
        let immediate = state.withLock { $0.immediateEvent.take() }
        if let immediate { op.withBuffer { $0.storeBytes(of: immediate, toByteOffset: 0, as: UInt8.self) } }
        let (port, handle) = (port, handle)
        return unsafe op.submit { block, buffer in
            unsafe port.startNative(on: handle, block, buffer, answering: immediate == nil ? .simulatedPending : .none)
        }
    }

    func events(in bytes: RawSpan) -> [SerialEvent] {
        bytes.isEmpty || bytes.byte(at: 0) == 0 ? [] : [.linesChanged(ModemLines(rawValue: bytes.byte(at: 0)), now: [])]
    }

    func beginClose() { state.withLock { $0.isClosing = true } }

    func close() { hold.end() }

    func isGone(_ code: SystemCode) -> Bool { code == SimulatedDevice.unplugged }

    var isClosing: Bool { state.withLock { $0.isClosing } }

    var isClosed: Bool { closed.isRaised }
}

/// A loop on a simulated port that is checked from outside, in which time is virtual.
struct Simulation: Sendable {
    let port: SimulatedPort
    let loop: EventLoop

    init(seed: UInt64 = 1, faults: SimulatedFaults = .none) {
        port = SimulatedPort(seed: seed, faults: faults)
        loop = EventLoop(port: CheckedPort(port))
    }

    /// Runs a test as a fiber.
    func run(_ body: @escaping @Sendable (isolated EventLoop) async throws -> Void) throws {
        try loop.run { loop in try await body(loop) }
        loop.shutdown()
    }

    /// How long a call took in virtual time, and what became of it.
    func timed<R>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws(SerialError) -> R
    ) async -> (Result<R, SerialError>, Duration) {
        let began = port.clock.now
        let ended = await result(body)
        return (ended, .nanoseconds(port.clock.now.nanoseconds(since: began)))
    }
}

/// Counts, on any thread.
final class Tally: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .acquiring) }
    func next() -> Int { count.add(1, ordering: .acquiringAndReleasing).newValue }
}

/// Raised once, from any thread.
final class Flag: Sendable {
    private let state = Atomic<Bool>(false)
    func raise() { state.store(true, ordering: .releasing) }
    var isRaised: Bool { state.load(ordering: .acquiring) }
}
