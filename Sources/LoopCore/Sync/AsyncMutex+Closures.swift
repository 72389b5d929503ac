#if !hasFeature(Embedded)
extension AsyncMutex {
    /// Runs a function while it holds the lock, and gives it back whatever the function comes to.
    ///
    /// The function runs where the caller runs, so it may touch the caller's state.
    public nonisolated(nonsending) func withLock<R>(timeout: Duration? = nil, _ body: () async throws -> R) async throws -> R {
        try await lock(timeout: timeout)
        defer { unlock() }
        return try await body()
    }
}
#else
extension AsyncMutex {
    /// As in the other build, but that the function may throw what the loop's waits throw and nothing else.
    public nonisolated(nonsending) func withLock<R>(
        timeout: Duration? = nil, _ body: () async throws(WaitError) -> R
    ) async throws(WaitError) -> R {
        try await lock(timeout: timeout)
        defer { unlock() }
        return try await body()
    }
}
#endif
