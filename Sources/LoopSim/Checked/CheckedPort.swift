public import LoopCore
internal import Synchronization

/// A port around another that checks the contract from outside, clause by clause.
///
/// Put it between a loop and any port, a real one included: what breaks the contract, the port below or the ledger above, is reported as
/// it happens, with the clause it breaks. By default the report is a trap.
///
/// What it cannot see: the control blocks of native calls that are reported by ``Operations/submitted(_:)``. It counts the packets that it
/// is told of, and lets as many pass.
public final class CheckedPort: ForwardingPort, Sendable {
    // Used on the loop's thread alone; a call from another is reported before it is made.
    private nonisolated(unsafe) let port: any CompletionPort
    private nonisolated(unsafe) let checker: ContractChecker
    private let checkedWaker: CheckedWaker
    private let owner: UInt

    /// Checks a port. `latenessMaxNanoseconds` is what the system's timers may be late by: nothing on the virtual clock.
    // SAFETY: the port and its books are used on the calling thread from here on.
    public init(
        _ port: sending any CompletionPort, latenessMaxNanoseconds: UInt64 = 0,
        report: @escaping (ContractBreach) -> Void = { trap("The port's contract is broken. \($0)") }
    ) {
        checkedWaker = CheckedWaker(port.waker)
        owner = checkedWaker.currentThread()
        unsafe checker = ContractChecker(latenessMaxNanoseconds: latenessMaxNanoseconds, report: report)
        unsafe self.port = port
    }

    /// The port that does the work.
    // SAFETY: for the loop's thread; any other is told so.
    public var inner: any CompletionPort {
        if checkedWaker.currentThread() != owner { unsafe checker.report(.offThread) }
        return unsafe port
    }

    public var waker: any PortWaker { checkedWaker }

    // SAFETY: as for `inner`.
    public func associate(_ handle: NativeHandle, as key: HandleKey, options: AssociationOptions) throws(AssociationError) {
        try inner.associate(handle, as: key, options: options)
        unsafe checker.associated(handle, key)
    }

    // SAFETY: as for `inner`.
    public func dissociate(_ handle: NativeHandle, as key: HandleKey) {
        unsafe checker.dissociates(handle, key)
        inner.dissociate(handle, as: key)
    }

    // SAFETY: as for `inner`; a loop that has ended drops its last results on any thread.
    public func close(acquired handle: NativeHandle) { unsafe port.close(acquired: handle) }

    // SAFETY: as for `inner`.
    public func classify(_ code: Int32) -> Submission {
        let answer = inner.classify(code)
        if answer == .owesPacket { unsafe checker.nativeCallOwes() }
        return answer
    }

    // SAFETY: as for `inner`.
    public func classify(_ code: Int32, of request: PortRequest) -> Submission {
        let answer = inner.classify(code, of: request)
        if answer == .owesPacket { unsafe checker.nativeCallOwes(LentMemory(request)) }
        return answer
    }

    // SAFETY: as for `inner`.
    public func cancel(_ request: PortRequest) -> CancelAnswer {
        let answer = inner.cancel(request)
        unsafe checker.cancelled(LentMemory(request), answer)
        return answer
    }

    // SAFETY: as for `inner`; a loop that has ended works off late mail on any thread.
    public func post(_ block: UnsafeMutableRawPointer, _ completion: Completion) {
        unsafe checker.posts(UInt(bitPattern: block))
        unsafe port.post(block, completion)
    }

    // SAFETY: the batch is forwarded, and read as far as the port says that it was filled.
    public func wait(into batch: UnsafeMutableBufferPointer<Packet>, for bound: WaitBound) -> Int {
        let port = inner
        let wait = unsafe checker.beginWait(bound, port.now(), wakes: checkedWaker.wakes)
        let count = unsafe port.wait(into: batch, for: bound)
        unsafe checker.checkWatched()
        guard count >= 0, count <= batch.count else {
            unsafe checker.report(.batchOverrun(count: count, capacity: batch.count))
            return 0
        }
        for place in 0..<count { unsafe checker.handsOut(batch[place]) }
        unsafe checker.endWait(wait, port.now(), count, wakes: checkedWaker.wakes)
        return count
    }

    // SAFETY: as for `inner`; the last owner of a loop may close its port on any thread.
    public func close() {
        unsafe checker.isClosed = true
        unsafe port.close()
    }

    /// Says that an adapter reported a native call with `submitted(_:)`: one more packet will come for a block this port was not shown.
    // SAFETY: as for `inner`.
    public func expectNativePacket() { unsafe checker.nativeCallOwes() }

    // MARK: portable verbs

    public func read(_ request: PortRequest, at offset: FileOffset?) -> Submission {
        check(.read, request) { port in port.read(request, at: offset) }
    }

    public func write(_ request: PortRequest, count: Int, at offset: FileOffset?) -> Submission {
        check(.write(count), request) { port in port.write(request, count: count, at: offset) }
    }

    public func write(_ request: PortRequest, segments: [Range<Int>], at offset: FileOffset?) -> Submission {
        check(.write(segments.reduce(0) { $0 + $1.count }), request) { port in port.write(request, segments: segments, at: offset) }
    }

    public func receive(_ request: PortRequest) -> Submission {
        check(.read, request) { port in port.receive(request) }
    }

    public func send(_ request: PortRequest, count: Int) -> Submission {
        check(.write(count), request) { port in port.send(request, count: count) }
    }

    public func accept(_ request: PortRequest) -> Submission {
        check(.accept, request) { port in port.accept(request) }
    }

    public func connect(_ request: PortRequest) -> Submission {
        check(.other, request) { port in port.connect(request) }
    }

    public func poll(_ request: PortRequest, _ interest: Readiness) -> Submission {
        check(.poll(interest), request) { port in port.poll(request, interest) }
    }

    public func attempt(_ request: PortRequest, _ direction: Direction?, _ body: @escaping (NativeHandle) -> AttemptResult) -> Submission {
        check(.other, request) { port in port.attempt(request, direction, body) }
    }

    // SAFETY: as for `inner`.
    private func check(_ verb: CheckedVerb, _ request: PortRequest, _ call: (any CompletionPort) -> Submission) -> Submission {
        let port = inner
        let memory = LentMemory(request)
        unsafe checker.starts(verb, memory, request.handle, request.key)
        let answer = call(port)
        unsafe checker.started(verb, memory, answer)
        return answer
    }
}

/// Counts the wakes, which are a good reason for a wait to return early.
private final class CheckedWaker: PortWaker {
    private let inner: any PortWaker
    private let count = Atomic<Int>(0)

    init(_ inner: any PortWaker) { self.inner = inner }

    var wakes: Int { count.load(ordering: .relaxed) }

    func wake() -> Bool {
        count.add(1, ordering: .relaxed)
        return inner.wake()
    }

    func currentThread() -> UInt { inner.currentThread() }
}
