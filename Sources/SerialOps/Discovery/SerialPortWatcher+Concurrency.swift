#if !hasFeature(Embedded)
public import _Concurrency

// A throwing sequence is what the embedded runtime lacks; `next` is the same there.
extension SerialPortWatcher {
    /// The changes from here on, for `for try await`. They are the watcher's own: each goes to one of those who ask.
    public nonisolated var changes: Changes { Changes(watcher: self) }

    /// The changes of one watcher.
    public struct Changes: AsyncSequence, AsyncIteratorProtocol, Sendable {
        fileprivate let watcher: SerialPortWatcher

        public func makeAsyncIterator() -> Changes { self }

        public func next(isolation actor: isolated (any Actor)? = #isolation) async throws(SerialError) -> SerialPortChange? {
            try await watcher.next()
        }

        public func next() async throws(SerialError) -> SerialPortChange? { try await watcher.next() }
    }
}
#endif
