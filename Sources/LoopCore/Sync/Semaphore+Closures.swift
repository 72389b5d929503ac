#if !hasFeature(Embedded)
extension Semaphore {
    /// Runs a function while it has a permit, and gives it back whatever the function comes to.
    ///
    /// The function runs where the caller runs, so it may touch the caller's state.
    public nonisolated(nonsending) func withPermit<R>(timeout: Duration? = nil, _ body: () async throws -> R) async throws -> R {
        try await acquire(timeout: timeout)
        defer { release() }
        return try await body()
    }
}
#else
extension Semaphore {
    /// As in the other build, but that the function may throw what the loop's waits throw and nothing else.
    public nonisolated(nonsending) func withPermit<R>(
        timeout: Duration? = nil, _ body: () async throws(WaitError) -> R
    ) async throws(WaitError) -> R {
        try await acquire(timeout: timeout)
        defer { release() }
        return try await body()
    }
}
#endif
