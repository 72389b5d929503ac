public import LoopCore

/// A port around another that writes down what is said: put it between a loop and any port, a real one included.
///
/// What a trace does not hold: the bytes of an adapter's own native calls, whose memory no port is shown, and what an `attempt`'s function
/// does besides. Programs that use those can be read in a trace and not replayed. Reading ``trace`` is the loop thread's.
public final class TraceRecorder: ForwardingPort, Sendable {
    // Used on the loop's thread alone, like the ports it stands between.
    private nonisolated(unsafe) let port: any CompletionPort
    private nonisolated(unsafe) let log = TraceLog()
    /// The inner port's own.
    public let waker: any PortWaker

    /// Records what passes to and from a port.
    // SAFETY: see the type.
    public init(_ port: sending any CompletionPort) {
        waker = port.waker
        unsafe self.port = port
    }

    /// What was said so far.
    // SAFETY: see the type.
    public var trace: Trace { unsafe log.trace }

    /// The port that does the work.
    // SAFETY: see the type.
    public var inner: any CompletionPort { unsafe port }

    // SAFETY: see the type.
    public func now() -> MonotonicInstant {
        let now = inner.now()
        unsafe log.now(now)
        return now
    }

    // SAFETY: see the type.
    public func associate(_ handle: NativeHandle, as key: HandleKey, options: AssociationOptions) throws(AssociationError) {
        let question = unsafe "associate \(log.book.name(handle, key))"
        do throws(AssociationError) {
            try inner.associate(handle, as: key, options: options)
            unsafe log.append(question, "ok")
        } catch {
            unsafe log.append(question, TraceAnswer.words(error))
            throw error
        }
    }

    // SAFETY: see the type.
    public func dissociate(_ handle: NativeHandle, as key: HandleKey) {
        inner.dissociate(handle, as: key)
        unsafe log.append("dissociate \(log.book.name(handle, key))", "ok")
    }

    // SAFETY: see the type.
    public func close(acquired handle: NativeHandle) {
        inner.close(acquired: handle)
        unsafe log.append("close \(handle.rawValue)", "ok")
    }

    // SAFETY: see the type.
    public func classify(_ code: Int32) -> Submission {
        let answer = inner.classify(code)
        unsafe log.append("classify \(code)", TraceAnswer.words(answer, nil))
        return answer
    }

    // SAFETY: see the type.
    public func classify(_ code: Int32, of request: PortRequest) -> Submission {
        let answer = inner.classify(code, of: request)
        unsafe log.append("classify \(code)", TraceAnswer.words(answer, nil))
        return answer
    }

    // SAFETY: see the type.
    public func cancel(_ request: PortRequest) -> CancelAnswer {
        let answer = inner.cancel(request)
        unsafe log.append(log.book.cancel(request), TraceAnswer.words(answer))
        return answer
    }

    // SAFETY: see the type; the block is passed on and not looked at.
    public func post(_ block: UnsafeMutableRawPointer, _ completion: Completion) {
        unsafe inner.post(block, completion)
        let number = unsafe log.book.enter(LentMemory(block), isInput: false)
        unsafe log.append("post #\(number)", TraceAnswer.words(completion, nil))
    }

    // SAFETY: see the type; places below the count are filled.
    public func wait(into batch: UnsafeMutableBufferPointer<Packet>, for bound: WaitBound) -> Int {
        let count = unsafe inner.wait(into: batch, for: bound)
        var answer = "\(count)"
        for place in 0..<count { answer += " | \(words(unsafe batch[place]))" }
        unsafe log.append(log.book.wait(bound, batch.count), answer)
        return count
    }

    // SAFETY: see the type; the block is compared and not followed.
    private func words(_ packet: Packet) -> String {
        guard packet.key == .operation else { return "key \(packet.key.rawValue)" }
        guard let number = unsafe log.book.number(UInt(bitPattern: packet.block)) else { return "?" }
        return unsafe "#\(number) \(TraceAnswer.words(packet.completion, log.book[number]))"
    }

    // MARK: portable verbs

    public func read(_ request: PortRequest, at offset: FileOffset?) -> Submission {
        record("read", request, isInput: true, book.offset(offset)) { port in port.read(request, at: offset) }
    }

    public func write(_ request: PortRequest, count: Int, at offset: FileOffset?) -> Submission {
        let detail = "\(book.sum(request, [0..<count])) \(book.offset(offset))"
        return record("write", request, isInput: false, detail) { port in port.write(request, count: count, at: offset) }
    }

    public func write(_ request: PortRequest, segments: [Range<Int>], at offset: FileOffset?) -> Submission {
        let detail = "\(book.sum(request, segments)) \(book.offset(offset))"
        return record("gather", request, isInput: false, detail) { port in port.write(request, segments: segments, at: offset) }
    }

    public func receive(_ request: PortRequest) -> Submission {
        record("receive", request, isInput: true, "-") { port in port.receive(request) }
    }

    public func send(_ request: PortRequest, count: Int) -> Submission {
        record("send", request, isInput: false, book.sum(request, [0..<count])) { port in port.send(request, count: count) }
    }

    public func accept(_ request: PortRequest) -> Submission {
        record("accept", request, isInput: true, "-") { port in port.accept(request) }
    }

    public func connect(_ request: PortRequest) -> Submission {
        record("connect", request, isInput: false, "-") { port in port.connect(request) }
    }

    public func poll(_ request: PortRequest, _ interest: Readiness) -> Submission {
        record("poll", request, isInput: false, "\(interest.rawValue)") { port in port.poll(request, interest) }
    }

    public func attempt(_ request: PortRequest, _ direction: Direction?, _ body: @escaping (NativeHandle) -> AttemptResult) -> Submission {
        record("attempt", request, isInput: true, TraceBook.direction(direction)) { port in port.attempt(request, direction, body) }
    }

    // SAFETY: see the type.
    private var book: TraceBook { unsafe log.book }

    // SAFETY: see the type.
    private func record(
        _ verb: String, _ request: PortRequest, isInput: Bool, _ detail: String, _ call: (any CompletionPort) -> Submission
    ) -> Submission {
        let question = unsafe log.book.start(verb, request, isInput: isInput, detail)
        let number = book.number(LentMemory(request).blockAddress)
        let answer = call(inner)
        unsafe log.append(question, TraceAnswer.words(answer, number.flatMap { book[$0] }))
        return answer
    }
}

/// The trace as it grows.
private final class TraceLog {
    private(set) var trace = Trace()
    var book = TraceBook()
    private var lastNow: MonotonicInstant?
    private var unchangedReadings = 0

    func append(_ question: String, _ answer: String) {
        trace.append(question, answer)
        unchangedReadings = 0
    }

    /// A reading of the clock is written down when it has moved, with how many readings since the last line had not seen that.
    func now(_ now: MonotonicInstant) {
        if now == lastNow {
            unchangedReadings += 1
            return
        }
        lastNow = now
        append("now \(unchangedReadings)", "\(now.nanoseconds)")
    }
}
