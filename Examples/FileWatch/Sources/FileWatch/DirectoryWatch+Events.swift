#if !hasFeature(Embedded)
// A throwing sequence is what the embedded runtime lacks; `next` is the same there.
extension DirectoryWatch {
    /// The events from here on, for `for try await`. They are the watch's own: a second loop over them waits in vain for what the first
    /// has taken, and is refused while the first waits.
    public nonisolated var events: Events { Events(watch: self) }

    /// The events of one watch.
    public struct Events: AsyncSequence, AsyncIteratorProtocol, Sendable {
        fileprivate let watch: DirectoryWatch

        public func makeAsyncIterator() -> Events { self }

        public func next(isolation actor: isolated (any Actor)? = #isolation) async throws(WatchError) -> DirectoryEvent? {
            try await watch.next()
        }

        public func next() async throws(WatchError) -> DirectoryEvent? { try await watch.next() }
    }
}
#endif
