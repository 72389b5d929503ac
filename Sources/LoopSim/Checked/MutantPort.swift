package import LoopCore

/// A port around another that breaks one clause of the contract, now and then: for tests of the tests.
///
/// Whoever claims to find breaches runs against it. ``KernelBug/followsNumbers`` cannot be done from outside: ``SimulatedPort`` does it.
package final class MutantPort: ForwardingPort {
    package let inner: any CompletionPort
    package let waker: any PortWaker
    private let bug: KernelBug
    private var random: SimulatedRandom
    /// What was cancelled, so that its memory can be written to when it should not be.
    private var cancelled: [UInt: LentMemory] = [:]
    private var toBeWritten: [LentMemory] = []
    private var truncations = 0
    private var toBeRepeated: [Packet] = []

    /// How often the bug shows where it could: seldom enough that most operations are in order.
    private static let chance = Chance(perThousand: 150)

    /// After this many the bug rests: on a clock that moves only with the wait, a loop would spin for ever.
    private static let truncationsMax = 2_000

    package init(_ inner: any CompletionPort, _ bug: KernelBug, seed: UInt64) {
        self.inner = inner
        self.bug = bug
        random = SimulatedRandom(seed: seed ^ 0xB06)
        waker = bug == .losesWakes ? DeafWaker(inner.waker) : inner.waker
    }

    package func cancel(_ request: PortRequest) -> CancelAnswer {
        switch bug {
        case .ignoresCancels: return .requested
        case .writesAfterPacket: cancelled[LentMemory(request).blockAddress] = LentMemory(request)
        default: break
        }
        return inner.cancel(request)
    }

    // SAFETY: places below the inner port's count are filled, and no place beyond the batch is touched.
    package func wait(into batch: UnsafeMutableBufferPointer<Packet>, for bound: WaitBound) -> Int {
        for memory in toBeWritten { memory.put([0xDE, 0xAD]) }
        toBeWritten = []
        let count = unsafe inner.wait(into: batch, for: truncated(bound))
        var kept = 0
        for place in 0..<count {
            guard let packet = mutated(unsafe batch[place]) else { continue }
            unsafe batch[kept] = packet
            kept += 1
        }
        while kept < batch.count, let packet = repeated(kept > 0 ? unsafe batch[kept - 1] : nil) {
            unsafe batch[kept] = packet
            kept += 1
        }
        return kept
    }

    private func truncated(_ bound: WaitBound) -> WaitBound {
        guard bug == .truncatesTimeouts, case .until(let instant) = bound else { return bound }
        guard truncations < MutantPort.truncationsMax, instant.nanoseconds(since: inner.now()) < 1_000_000 else { return bound }
        truncations += 1
        return .poll
    }

    /// The packet as the bug leaves it; nil where it swallows it.
    // SAFETY: the block's address is compared, and not followed.
    private func mutated(_ packet: Packet) -> Packet? {
        guard packet.key == .operation else { return packet }
        let isAborted = packet.completion.severity == .aborted
        var packet = packet
        switch bug {
        case .dropsCancelledPacket: if isAborted, random.happens(MutantPort.chance) { return nil }
        case .dropsPacket: if random.happens(MutantPort.chance) { return nil }
        case .forgetsAbortedCount: if isAborted { packet.completion.count = 0 }
        case .writesAfterPacket:
            let memory = unsafe packet.block.flatMap { cancelled.removeValue(forKey: UInt(bitPattern: $0)) }
            if isAborted, let memory { toBeWritten.append(memory) }
        case .repeatsPacketLater: if random.happens(MutantPort.chance) { toBeRepeated.append(packet) }
        case .ignoresCancels, .doublesPacket, .followsNumbers, .truncatesTimeouts, .losesWakes: break
        }
        return packet
    }

    /// One packet too many, if the bug has one.
    private func repeated(_ last: Packet?) -> Packet? {
        switch bug {
        case .doublesPacket: random.happens(MutantPort.chance) ? last : nil
        case .repeatsPacketLater where toBeRepeated.count > 2: toBeRepeated.removeFirst()
        default: nil
        }
    }
}

/// Says that it has woken the port.
private final class DeafWaker: PortWaker {
    private let inner: any PortWaker

    init(_ inner: any PortWaker) { self.inner = inner }

    func wake() -> Bool { true }

    func currentThread() -> UInt { inner.currentThread() }
}
