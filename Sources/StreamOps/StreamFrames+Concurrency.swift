#if !hasFeature(Embedded)
public import _Concurrency

// A throwing sequence is what the embedded runtime lacks; `next` is the same there.
extension StreamFrames {
    /// The frames, for `for try await`.
    public nonisolated var all: All { All(frames: self) }

    /// The frames of one stream.
    public struct All: AsyncSequence, AsyncIteratorProtocol, Sendable {
        let frames: StreamFrames

        public func makeAsyncIterator() -> All { self }

        public func next(isolation actor: isolated (any Actor)? = #isolation) async throws(Stream.Failure) -> [UInt8]? {
            try await frames.next()
        }

        public func next() async throws(Stream.Failure) -> [UInt8]? { try await frames.next() }
    }
}

extension ByteStream {
    /// The bytes that come from here on, one at a time, until the stream has ended or was closed.
    public nonisolated var bytes: StreamBytes<Self> { StreamBytes(stream: self) }
}

/// The bytes of one stream. A loop that stops in the middle leaves the rest to the next read.
public struct StreamBytes<Stream: ByteStream>: AsyncSequence, AsyncIteratorProtocol, Sendable {
    fileprivate let stream: Stream

    public func makeAsyncIterator() -> StreamBytes { self }

    public func next(isolation actor: isolated (any Actor)? = #isolation) async throws(Stream.Failure) -> UInt8? { try await next() }

    public func next() async throws(Stream.Failure) -> UInt8? {
        do throws(Stream.Failure) {
            return try await stream.read { bytes, taken in
                taken = bytes.isEmpty ? 0 : 1
                return bytes.isEmpty ? nil : bytes.byte(at: 0)
            }
        } catch {
            if error == .closed { return nil }
            throw error
        }
    }
}
#endif
