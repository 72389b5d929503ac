public import LoopCore
import _Concurrency

/// The frames that come through a port, one at a time. What is no whole frame yet stays in the port.
public actor SerialFrames<Splitter: FrameSplitter>: OnLoop {
    /// The loop it lives on.
    public nonisolated let loop: EventLoop
    /// Bytes that were part of no frame.
    public private(set) var bytesSkipped = 0
    private let port: SerialPort
    private var splitter: Splitter
    private let timeout: Duration?
    private let interByte: Duration?

    init(_ port: SerialPort, _ splitter: Splitter, _ timeout: Duration?, _ interByte: Duration?) {
        loop = port.loop
        self.port = port
        self.splitter = splitter
        self.timeout = timeout
        self.interByte = interByte
    }
}

extension SerialFrames {
    /// The next frame; nil when the port was closed. Where it does not come in time this throws, and none of its bytes are lost.
    public func next() async throws(SerialError) -> [UInt8]? {
        do throws(SerialError) {
            let (frame, splitter, skipped) = try await port.nextFrame(splitter, timeout, interByte)
            self.splitter = splitter
            bytesSkipped += skipped
            return frame
        } catch {
            if error == .closed { return nil }
            throw error
        }
    }
}

extension SerialPort {
    /// The frames that come from here on. Each `next` may take as long as `timeout` says, and the silence inside a frame as long as
    /// `interByte`.
    public nonisolated func frames<Splitter: FrameSplitter>(
        by splitter: Splitter, timeout: Duration? = nil, interByte: Duration? = nil
    ) -> SerialFrames<Splitter> { SerialFrames(self, splitter, timeout, interByte) }

    /// A frame, the splitter as it is behind it, and how many bytes were skipped on the way.
    func nextFrame<Splitter: FrameSplitter>(
        _ splitter: Splitter, _ timeout: Duration?, _ interByte: Duration?
    ) async throws(SerialError) -> ([UInt8], Splitter, Int) {
        var splitter = splitter
        var skipped = 0
        let deadline = Deadline(timeout, stream.operations)
        while true {
            var found = FrameSplit.needsMore
            try await stream.waitForInput(deadline.left(stream.operations.now), interByte, demand: stream.input.count + 1) { bytes in
                guard !bytes.isEmpty else { return nil }
                found = splitter.split(bytes)
                return found == .needsMore ? nil : 0
            }
            defer { stream.readTurn.give() }
            switch found {
            case .frame(let frame, let taken):
                stream.drop(taken)
                return (frame, splitter, skipped)
            case .skip(let count):
                stream.drop(max(1, count))
                skipped += max(1, count)
            case .needsMore: trap("A wait for a frame ended without one.")
            }
        }
    }
}

#if !hasFeature(Embedded)
// A throwing sequence is what the embedded runtime lacks; `next` is the same there.
extension SerialFrames {
    /// The frames, for `for try await`.
    public nonisolated var all: All { All(frames: self) }

    /// The frames of one port.
    public struct All: AsyncSequence, AsyncIteratorProtocol, Sendable {
        fileprivate let frames: SerialFrames

        public func makeAsyncIterator() -> All { self }

        public func next(isolation actor: isolated (any Actor)? = #isolation) async throws(SerialError) -> [UInt8]? {
            try await frames.next()
        }

        public func next() async throws(SerialError) -> [UInt8]? { try await frames.next() }
    }
}
#endif
