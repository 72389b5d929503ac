#if !hasFeature(Embedded)
internal import Synchronization
public import _Concurrency

extension EventLoop {
    /// Bounds everything that `body` waits for on this loop by one deadline.
    ///
    /// ```swift
    /// let line = try await loop.timeout(.seconds(5)) { try await port.readLine() }
    /// ```
    ///
    /// `body` runs where the caller runs, so it may touch the caller's state. Each of its waits ends by itself when the time is up, as if
    /// it had been given what is left of it: so a retry has the rest of the time, and no task is cancelled. If `body` throws thereupon,
    /// this throws ``TimeoutError``; a value that it returns in spite of it is returned. Timeouts nest: the tightest counts, and the one
    /// whose deadline it was throws.
    ///
    /// A wait of another kind is not ended: `Task.sleep`, work on another executor, a computation.
    public func timeout<R>(
        _ time: Duration, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R
    ) async throws -> R {
        let scope = TimeoutScope(self, time, inside: TimeoutScope.innermost)
        core.openTimeouts += 1
        TimeoutScope.open.add(1, ordering: .relaxed)
        do {
            let value = try await TimeoutScope.$innermost.withValue(scope) {
                _ = isolation  // captured, or this function runs off the actor
                return try await body()
            }
            close(scope)
            return value
        } catch {
            guard let what = close(scope) else { throw error }
            throw TimeoutError(time: time, waitedFor: what, cause: error)
        }
    }

    @discardableResult
    private nonisolated func close(_ scope: TimeoutScope) -> WaitedFor? {
        core.openTimeouts -= 1
        TimeoutScope.open.subtract(1, ordering: .relaxed)
        return scope.end()
    }
}

/// The time of a ``EventLoop/timeout(_:isolation:_:)`` was up.
public struct TimeoutError: Error, CustomStringConvertible {
    /// The time that was given.
    public let time: Duration
    /// What was waited for when it was up.
    public let waitedFor: WaitedFor
    /// What the wait threw.
    public let cause: any Error

    public var description: String { "nothing came within \(time): \(waitedFor) (\(cause))" }
}
#endif
