public import LoopCore

/// A port that answers what a trace says. The program that is recorded in it, run on this port, does the same once more.
///
/// Handles are the recorded numbers and name nothing. Every call is compared with the trace: the first that differs is reported, by
/// default with a trap, because from there on the answers would be somebody else's.
public final class ReplayPort: CompletionPort, Sendable {
    // Used on the loop's thread alone.
    private nonisolated(unsafe) let player: TracePlayer
    /// Wakes nobody: what a wake did is in the trace.
    public let waker: any PortWaker

    /// Replays a trace on the calling thread.
    // SAFETY: see the type.
    public init(
        _ trace: Trace, waker: any PortWaker = SimulatedWaker(),
        diverged: @escaping (ReplayDivergence) -> Void = { trap("The program does not do what the trace says. \($0)") }
    ) {
        self.waker = waker
        unsafe player = TracePlayer(trace.lines, diverged)
    }

    /// Whether every line was played.
    // SAFETY: see the type.
    public var isFinished: Bool { unsafe player.isFinished }

    // SAFETY: see the type.
    private func answer(_ question: (inout TraceBook) -> String) -> String { unsafe player.answer(question(&player.book)) }

    // SAFETY: see the type.
    private func operation(_ number: Int?) -> TraceBook.TracedOperation? { number.flatMap { unsafe player.book[$0] } }

    // SAFETY: see the type.
    public func now() -> MonotonicInstant { unsafe player.now() }

    /// There is none.
    public var pollableHandle: NativeHandle? { nil }

    /// Nothing is counted.
    public var portMetrics: PortMetrics { PortMetrics() }

    public func associate(_ handle: NativeHandle, as key: HandleKey, options: AssociationOptions) throws(AssociationError) {
        if let error = TraceAnswer.association(answer { "associate \($0.name(handle, key))" }) { throw error }
    }

    public func dissociate(_ handle: NativeHandle, as key: HandleKey) { _ = answer { "dissociate \($0.name(handle, key))" } }

    public func close(acquired handle: NativeHandle) { _ = answer { _ in "close \(handle.rawValue)" } }

    public func classify(_ code: Int32) -> Submission {
        TraceAnswer.submission(answer { _ in "classify \(code)" }, nil) ?? .owesPacket
    }

    public func cancel(_ request: PortRequest) -> CancelAnswer { TraceAnswer.cancel(answer { $0.cancel(request) }) }

    /// The simulator's; the packets say what the trace says.
    public var abortedCompletion: Completion { SimulatedStatus.cancelled.completion() }

    // SAFETY: the block is handed back in the packet the trace says, and not looked at.
    public func post(_ block: UnsafeMutableRawPointer, _ completion: Completion) {
        let memory = unsafe LentMemory(block)
        _ = answer { "post #\($0.enter(memory, isInput: false))" }
    }

    // SAFETY: at most as many places are filled as the batch has.
    public func wait(into batch: UnsafeMutableBufferPointer<Packet>, for bound: WaitBound) -> Int {
        let capacity = batch.count
        var count = 0
        for part in answer({ $0.wait(bound, capacity) }).split(separator: "|").dropFirst().prefix(capacity) {
            guard let packet = packet(part) else { continue }
            unsafe batch[count] = packet
            count += 1
        }
        return count
    }

    /// The packet a trace describes, with its bytes back in the buffer; nil for one whose memory the recorder was never shown.
    // SAFETY: a stranger's packet has no block.
    private func packet(_ text: Substring) -> Packet? {
        let words = text.split(separator: " ")
        if words.first == "key", let key = words.last.flatMap({ UInt64($0) }) {
            return unsafe Packet(key: PacketKey(rawValue: key), block: nil, completion: Completion(count: 0))
        }
        guard let number = words.first.flatMap({ Int($0.dropFirst()) }), let operation = operation(number) else { return nil }
        return TraceAnswer.completion(words.dropFirst(), operation).map { operation.memory.packet($0) }
    }

    /// Whatever is left of the trace stays unplayed.
    public func close() {}

    // MARK: portable verbs

    public func read(_ request: PortRequest, at offset: FileOffset?) -> Submission {
        replay("read", request, isInput: true) { $0.offset(offset) }
    }

    public func write(_ request: PortRequest, count: Int, at offset: FileOffset?) -> Submission {
        replay("write", request, isInput: false) { "\($0.sum(request, [0..<count])) \($0.offset(offset))" }
    }

    public func write(_ request: PortRequest, segments: [Range<Int>], at offset: FileOffset?) -> Submission {
        replay("gather", request, isInput: false) { "\($0.sum(request, segments)) \($0.offset(offset))" }
    }

    public func receive(_ request: PortRequest) -> Submission { replay("receive", request, isInput: true) { _ in "-" } }

    public func send(_ request: PortRequest, count: Int) -> Submission {
        replay("send", request, isInput: false) { $0.sum(request, [0..<count]) }
    }

    public func accept(_ request: PortRequest) -> Submission { replay("accept", request, isInput: true) { _ in "-" } }

    public func connect(_ request: PortRequest) -> Submission { replay("connect", request, isInput: false) { _ in "-" } }

    public func poll(_ request: PortRequest, _ interest: Readiness) -> Submission {
        replay("poll", request, isInput: false) { _ in "\(interest.rawValue)" }
    }

    /// The function is not called: what it did is in the trace.
    public func attempt(_ request: PortRequest, _ direction: Direction?, _ body: @escaping (NativeHandle) -> AttemptResult) -> Submission {
        replay("attempt", request, isInput: true) { _ in TraceBook.direction(direction) }
    }

    // SAFETY: see the type.
    private func replay(_ verb: String, _ request: PortRequest, isInput: Bool, _ detail: (TraceBook) -> String) -> Submission {
        let words = answer { book in
            let detail = detail(book)
            return book.start(verb, request, isInput: isInput, detail)
        }
        let number = unsafe player.book.number(LentMemory(request).blockAddress)
        return TraceAnswer.submission(words, operation(number)) ?? .owesPacket
    }
}

/// The place in a trace that a replay has come to.
private final class TracePlayer {
    var book = TraceBook()
    private let lines: [TraceLine]
    private let diverged: (ReplayDivergence) -> Void
    private var place = 0
    private var clock = MonotonicInstant(nanoseconds: 0)
    private var unchangedReadings = 0

    init(_ lines: [TraceLine], _ diverged: @escaping (ReplayDivergence) -> Void) {
        self.lines = lines
        self.diverged = diverged
    }

    var isFinished: Bool { place == lines.count }

    /// The answer to a question, which must be the next in the trace. Empty after a divergence.
    func answer(_ asked: String) -> String {
        guard place < lines.count, lines[place].question == asked else {
            diverged(ReplayDivergence(line: place + 1, expected: place < lines.count ? lines[place].question : "the end", asked: asked))
            return ""
        }
        place += 1
        unchangedReadings = 0
        return lines[place - 1].answer
    }

    /// The clock moves where the recorded one did: after as many readings that had not seen it move.
    func now() -> MonotonicInstant {
        guard place < lines.count, lines[place].question == "now \(unchangedReadings)" else {
            unchangedReadings += 1
            return clock
        }
        clock = MonotonicInstant(nanoseconds: UInt64(lines[place].answer) ?? 0)
        place += 1
        unchangedReadings = 0
        return clock
    }
}

/// Where a program left its trace.
public struct ReplayDivergence: Hashable, Sendable, CustomStringConvertible {
    /// The line of the trace.
    public let line: Int
    /// What the trace has there.
    public let expected: String
    /// What the program asked instead.
    public let asked: String

    public var description: String { "Line \(line) is \"\(expected)\", and the program asks \"\(asked)\"." }
}
