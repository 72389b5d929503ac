internal import LoopCore

/// Sees what the ledger sees of the port: which memory a verb was started on, and which packets came for it.
final class CampaignObserver: ForwardingPort {
    let inner: any CompletionPort
    /// The memory of the latest verb.
    private(set) var started: LentMemory?
    /// Its result, if it was answered with that.
    private(set) var inline: Completion?
    var onPacket: (UInt, Completion) -> Void = { _, _ in }
    var onPost: (UInt) -> Void = { _ in }

    init(_ inner: any CompletionPort) { self.inner = inner }

    // SAFETY: places below the count are filled; addresses are compared and not followed.
    func wait(into batch: UnsafeMutableBufferPointer<Packet>, for bound: WaitBound) -> Int {
        let count = unsafe inner.wait(into: batch, for: bound)
        for place in 0..<count where unsafe batch[place].key == .operation {
            onPacket(UInt(bitPattern: unsafe batch[place].block), unsafe batch[place].completion)
        }
        return count
    }

    // SAFETY: the address is compared and not followed.
    func post(_ block: UnsafeMutableRawPointer, _ completion: Completion) {
        onPost(UInt(bitPattern: block))
        unsafe inner.post(block, completion)
    }

    func read(_ request: PortRequest, at offset: FileOffset?) -> Submission { note(request, inner.read(request, at: offset)) }

    func write(_ request: PortRequest, count: Int, at offset: FileOffset?) -> Submission {
        note(request, inner.write(request, count: count, at: offset))
    }

    func write(_ request: PortRequest, segments: [Range<Int>], at offset: FileOffset?) -> Submission {
        note(request, inner.write(request, segments: segments, at: offset))
    }

    func receive(_ request: PortRequest) -> Submission { note(request, inner.receive(request)) }

    func send(_ request: PortRequest, count: Int) -> Submission { note(request, inner.send(request, count: count)) }

    func accept(_ request: PortRequest) -> Submission { note(request, inner.accept(request)) }

    func poll(_ request: PortRequest, _ interest: Readiness) -> Submission { note(request, inner.poll(request, interest)) }

    func attempt(_ request: PortRequest, _ direction: Direction?, _ body: @escaping (NativeHandle) -> AttemptResult) -> Submission {
        note(request, inner.attempt(request, direction, body))
    }

    private func note(_ request: PortRequest, _ answer: Submission) -> Submission {
        started = LentMemory(request)
        if case .completed(let completion) = answer { inline = completion } else { inline = nil }
        return answer
    }
}
