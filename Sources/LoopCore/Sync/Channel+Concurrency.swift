#if !hasFeature(Embedded)
public import _Concurrency

/// `for try await element in channel` receives until the channel is finished. It throws when the task is cancelled or the channel closed.
extension Channel: AsyncSequence {
    /// Receives from a channel, one element after another.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        let channel: Channel

        public func next() async throws(WaitError) -> Element? { try await channel.receive() }

        public func next(isolation actor: isolated (any Actor)?) async throws(WaitError) -> Element? { try await channel.receive() }
    }

    public nonisolated func makeAsyncIterator() -> Iterator { Iterator(channel: self) }
}
#endif
