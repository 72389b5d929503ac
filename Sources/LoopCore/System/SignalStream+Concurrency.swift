#if !hasFeature(Embedded)
public import _Concurrency

extension SignalStream: AsyncSequence {
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }

    /// Hands out the signals in the order they came.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let stream: SignalStream

        public mutating func next() async throws(WaitError) -> Signal? { try await stream.next() }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(WaitError) -> Signal? {
            try await stream.next(isolation: actor)
        }
    }
}
#endif
