public import LoopCore
internal import _Concurrency

/// The frames that come through a stream, one at a time. What is no whole frame yet stays in the stream.
public actor StreamFrames<Stream: ByteStream, Splitter: FrameSplitter>: OnLoop {
    /// The loop it lives on.
    public nonisolated let loop: EventLoop
    /// Bytes that were part of no frame.
    public private(set) var bytesSkipped = 0
    private let stream: Stream
    private var splitter: Splitter
    private let timeout: Duration?
    private let interByte: Duration?

    init(_ stream: Stream, _ splitter: Splitter, _ timeout: Duration?, _ interByte: Duration?) {
        loop = stream.loop
        self.stream = stream
        self.splitter = splitter
        self.timeout = timeout
        self.interByte = interByte
    }
}

extension StreamFrames {
    /// The next frame; nil when the stream was closed, or when the other side has ended and what is left is no frame. Where it does not
    /// come in time this throws, and none of its bytes are lost.
    public func next() async throws(Stream.Failure) -> [UInt8]? {
        let deadline = Deadline.after(timeout, loop)
        while true {
            let split: FrameSplit?
            do throws(Stream.Failure) {
                split = try await nextSplit(deadline)
            } catch {
                if error == .closed { return nil }
                throw error
            }
            switch split {
            case .frame(let frame, _): return frame
            case .skip(let count): bytesSkipped += max(1, count)
            case .needsMore, nil: return nil
            }
        }
    }

    private func nextSplit(_ deadline: Deadline) async throws(Stream.Failure) -> FrameSplit? {
        // A copy: another call's may run while this one waits.
        var splitter = splitter
        var split: FrameSplit?
        try await stream.read(atLeast: 1, timeout: deadline.left(loop.now), interByte: interByte) { bytes, isOver in
            guard !bytes.isEmpty else { return .take(0) }
            let found = splitter.split(bytes)
            split = found
            switch found {
            case .frame(_, let taken): return .take(taken)
            case .skip(let count): return .take(max(1, count))
            case .needsMore: return isOver ? .take(0) : .more(atLeast: bytes.byteCount + 1)
            }
        }
        self.splitter = splitter
        return split
    }
}

extension ByteStream {
    /// The frames that come from here on. Each `next` may take as long as `timeout` says, and the silence inside a frame as long as
    /// `interByte`.
    public nonisolated func frames<Splitter: FrameSplitter>(
        by splitter: Splitter, timeout: Duration? = nil, interByte: Duration? = nil
    ) -> StreamFrames<Self, Splitter> { StreamFrames(self, splitter, timeout, interByte) }

    /// The lines that come from here on, without their ends; longer ones than `limit` bytes are cut there.
    public nonisolated func lines(limit: Int, timeout: Duration? = nil) -> StreamFrames<Self, LineSplitter> {
        frames(by: LineSplitter(limit: limit), timeout: timeout)
    }
}
