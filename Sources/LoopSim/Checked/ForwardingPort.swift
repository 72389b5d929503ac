public import LoopCore

/// A port around another port: it forwards whatever it does not do itself.
///
/// Conform a `final class`, keep the other port in ``inner``, and write only the requirements you are interested in.
public protocol ForwardingPort: CompletionPort {
    /// The port that does the work.
    var inner: any CompletionPort { get }
}

extension ForwardingPort {
    public var waker: any PortWaker { inner.waker }

    public func now() -> MonotonicInstant { inner.now() }

    public var system: (any SystemServices)? { inner.system }

    public func associate(_ handle: NativeHandle, as key: HandleKey, options: AssociationOptions) throws(AssociationError) {
        try inner.associate(handle, as: key, options: options)
    }

    public func dissociate(_ handle: NativeHandle, as key: HandleKey) { inner.dissociate(handle, as: key) }

    public func close(acquired handle: NativeHandle) { inner.close(acquired: handle) }

    public func classify(_ code: Int32) -> Submission { inner.classify(code) }

    public func classify(_ code: Int32, of request: PortRequest) -> Submission { inner.classify(code, of: request) }

    public func cancel(_ request: PortRequest) -> CancelAnswer { inner.cancel(request) }

    public var abortedCompletion: Completion { inner.abortedCompletion }

    // SAFETY: forwarded as it came.
    public func post(_ block: UnsafeMutableRawPointer, _ completion: Completion) { unsafe inner.post(block, completion) }

    // SAFETY: forwarded as it came.
    public func wait(into batch: UnsafeMutableBufferPointer<Packet>, for bound: WaitBound) -> Int {
        unsafe inner.wait(into: batch, for: bound)
    }

    public func close() { inner.close() }

    /// The processor is the same for both.
    // SAFETY: forwarded as it came.
    public func fetch(_ memory: UnsafeRawPointer, bytes: Int) { unsafe inner.fetch(memory, bytes: bytes) }

    public var pollableHandle: NativeHandle? { inner.pollableHandle }

    public var nextDeadline: MonotonicInstant? { inner.nextDeadline }

    public var portMetrics: PortMetrics { inner.portMetrics }

    public func read(_ request: PortRequest, at offset: FileOffset?) -> Submission { inner.read(request, at: offset) }

    public func write(_ request: PortRequest, count: Int, at offset: FileOffset?) -> Submission {
        inner.write(request, count: count, at: offset)
    }

    public func write(_ request: PortRequest, segments: [Range<Int>], at offset: FileOffset?) -> Submission {
        inner.write(request, segments: segments, at: offset)
    }

    public func receive(_ request: PortRequest) -> Submission { inner.receive(request) }

    public func send(_ request: PortRequest, count: Int) -> Submission { inner.send(request, count: count) }

    public func accept(_ request: PortRequest) -> Submission { inner.accept(request) }

    public func connect(_ request: PortRequest) -> Submission { inner.connect(request) }

    public func poll(_ request: PortRequest, _ interest: Readiness) -> Submission { inner.poll(request, interest) }

    public func attempt(_ request: PortRequest, _ direction: Direction?, _ body: @escaping (NativeHandle) -> AttemptResult) -> Submission {
        inner.attempt(request, direction, body)
    }
}
