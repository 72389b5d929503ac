internal import LoopCore

/// What a checked operation was asked to do, as far as its packet can be judged by it.
enum CheckedVerb {
    case read
    case write(Int)
    case accept
    case poll(Readiness)
    case other
}

/// What is owed, by whom, and what memory may be written to: the books of a ``CheckedPort``.
final class ContractChecker {
    let report: (ContractBreach) -> Void
    var isClosed = false
    private let latenessMaxNanoseconds: UInt64
    private var associated: [UInt64: NativeHandle] = [:]
    private var owed: [UInt: Owed] = [:]
    /// Packets owed by native calls, whose blocks this port was not shown.
    private var nativeOwed = 0
    /// Operations whose packet was handed out lately. Nobody but their owner may write to their buffers.
    private var watched: [Watched] = []
    private var idle = IdleReturns()

    private struct Owed {
        let verb: CheckedVerb
        let memory: LentMemory?
        let isPoisoned: Bool
    }

    private struct Watched {
        let memory: LentMemory
        var checksum: UInt64 = 0
    }

    /// Buffers up to this size are watched. It is far below 64 KiB, up to which the slab keeps a cell's memory for the ledger's life, so
    /// that looking at one whose operation is gone is sound.
    private static let watchedBytesMax = 512
    /// How many buffers are watched at a time: what a batch of a small program completes.
    private static let watchedMax = 8

    init(latenessMaxNanoseconds: UInt64, report: @escaping (ContractBreach) -> Void) {
        self.latenessMaxNanoseconds = latenessMaxNanoseconds
        self.report = report
    }

    private func require(_ holds: Bool, _ breach: @autoclosure () -> ContractBreach) {
        if !holds { report(breach()) }
    }

    // MARK: handles

    func associated(_ handle: NativeHandle, _ key: HandleKey) {
        require(!isClosed, .usedAfterClose)
        require(associated[key.word] == nil, .associatedTwice(handle))
        associated[key.word] = handle
    }

    func dissociates(_ handle: NativeHandle, _ key: HandleKey) {
        require(associated[key.word] == handle, .dissociatedUnknown(handle))
        associated[key.word] = nil
    }

    // MARK: operations

    func starts(_ verb: CheckedVerb, _ memory: LentMemory, _ handle: NativeHandle, _ key: HandleKey) {
        require(!isClosed, .usedAfterClose)
        require(associated[key.word] == handle, .notAssociated(handle))
        require(owed[memory.blockAddress] == nil, .startedWhileOwed)
        watched.removeAll { $0.memory.blockAddress == memory.blockAddress }
        if case .read = verb, memory.capacity <= ContractChecker.watchedBytesMax { memory.poison() }
    }

    func started(_ verb: CheckedVerb, _ memory: LentMemory, _ answer: Submission) {
        let isPoisoned: Bool
        if case .read = verb { isPoisoned = memory.capacity <= ContractChecker.watchedBytesMax } else { isPoisoned = false }
        let operation = Owed(verb: verb, memory: memory, isPoisoned: isPoisoned)
        switch answer {
        case .owesPacket: owed[memory.blockAddress] = operation
        case .completed(let completion):
            require(memory.inline == .allowed, .completedWithoutLeave)
            judge(completion, operation)
        case .refused(let code): require(code != .none, .refusedWithoutReason)
        }
    }

    func nativeCallOwes() { nativeOwed += 1 }

    /// What the call writes to the buffer is between the adapter and its driver.
    func nativeCallOwes(_ memory: LentMemory) {
        require(!isClosed, .usedAfterClose)
        require(owed[memory.blockAddress] == nil, .startedWhileOwed)
        owed[memory.blockAddress] = Owed(verb: .other, memory: nil, isPoisoned: false)
    }

    func posts(_ block: UInt) {
        if isClosed { return }
        require(owed[block] == nil, .startedWhileOwed)
        owed[block] = Owed(verb: .other, memory: nil, isPoisoned: false)
    }

    func cancelled(_ memory: LentMemory, _ answer: CancelAnswer) {
        require(!isClosed, .usedAfterClose)
        guard answer == .requested, nativeOwed == 0 else { return }
        require(owed[memory.blockAddress] != nil, .cancelOfNothing)
    }

    // SAFETY: the block's address is compared, and not followed.
    func handsOut(_ packet: Packet) {
        guard packet.key == .operation else { return }
        require(packet.completion.status != .pending, .pendingStatus)
        guard let block = unsafe packet.block else { return report(.packetWithoutBlock) }
        guard let operation = owed.removeValue(forKey: UInt(bitPattern: block)) else {
            require(nativeOwed > 0, .packetNotOwed)
            nativeOwed = max(0, nativeOwed - 1)
            return
        }
        judge(packet.completion, operation)
        guard let memory = operation.memory else { return }
        guard memory.capacity > 0, memory.capacity <= ContractChecker.watchedBytesMax else { return }
        if watched.count == ContractChecker.watchedMax { watched.removeFirst() }
        watched.append(Watched(memory: memory, checksum: 0))
    }

    private func judge(_ completion: Completion, _ operation: Owed) {
        let (count, isSuccess) = (completion.count, completion.severity == .success)
        switch completion.severity {
        case .success: require(completion.error == .none, .errorOnSuccess(completion.error))
        case .error, .aborted: require(completion.error != .none, .failureWithoutError)
        case .warning: break
        }
        switch operation.verb {
        case .read:
            let capacity = operation.memory?.capacity ?? 0
            require(count >= 0 && count <= capacity, .countOutOfRange(count: count, limit: capacity))
        case .write(let wanted):
            require(count >= 0 && count <= wanted, .countOutOfRange(count: count, limit: wanted))
            if isSuccess { require(count == wanted, .cutShort(count: count, wanted: wanted)) }
        case .poll(let asked):
            let found = Readiness(rawValue: UInt8(truncatingIfNeeded: count))
            let isFitting = !found.isEmpty && found.isSubset(of: asked.union([.hangup, .failed]))
            if isSuccess { require(isFitting, .readinessNotAskedFor(found: found, asked: asked)) }
        case .accept, .other: break
        }
        if case .accept = operation.verb {
        } else {
            require(completion.acquired == .invalid, .acquiredWithoutAccept(completion.acquired))
        }
        if operation.isPoisoned, let byte = operation.memory?.firstWritten(from: count) {
            report(.writtenBeyondCount(count: count, byte: byte))
        }
    }

    // MARK: waits

    /// A wait in progress.
    struct Wait {
        let bound: WaitBound
        let began: MonotonicInstant
    }

    func beginWait(_ bound: WaitBound, _ now: MonotonicInstant, wakes: Int) -> Wait {
        require(!isClosed, .usedAfterClose)
        for place in watched.indices { watched[place].checksum = watched[place].memory.checksum() }
        idle.wakesSeen(wakes)
        return Wait(bound: bound, began: now)
    }

    /// What changed while the port had the thread, the port changed. Only packets that went out before this wait are compared.
    func checkWatched() {
        for item in watched where item.memory.checksum() != item.checksum {
            report(.writtenAfterPacket(capacity: item.memory.capacity))
        }
    }

    func endWait(_ wait: Wait, _ now: MonotonicInstant, _ count: Int, wakes: Int) {
        idle.wakesSeen(wakes)
        let latest: MonotonicInstant
        switch wait.bound {
        case .forever: latest = .distantFuture
        case .poll: latest = wait.began
        case .until(let instant): latest = max(instant, wait.began)
        }
        let bound = latest.advanced(by: latenessMaxNanoseconds)
        require(now <= bound, .late(nanoseconds: now.nanoseconds(since: bound)))
        if count == 0, wait.bound != .poll, now < latest, let returns = idle.add(now) { report(.spinning(returns: returns)) }
    }
}

/// How often waits returned early and empty within a millisecond. A few are allowed at any time; a deadline that is rounded down makes
/// thousands, because the loop asks again at once.
private struct IdleReturns {
    private var windowBegan = MonotonicInstant(nanoseconds: 0)
    private var count = 0
    private var wakes = 0

    /// Far above what spurious wakes bring and far below what a spin does.
    private static let returnsMax = 200

    /// A wake explains one early return.
    mutating func wakesSeen(_ total: Int) {
        count -= total - wakes
        wakes = total
    }

    /// One more. A number if it was one too many; then counting begins anew.
    mutating func add(_ now: MonotonicInstant) -> Int? {
        if now.nanoseconds(since: windowBegan) >= 1_000_000 {
            windowBegan = now
            count = 0
        }
        count += 1
        guard count > IdleReturns.returnsMax else { return nil }
        let found = count
        count = 0
        return found
    }
}
