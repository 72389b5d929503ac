/// A `run` under way, and where its outcome waits for the turn that notices it. Written and read on the loop's thread alone.
final class Run<R: Sendable, E: Error>: RunInProgress, Sendable {
    private nonisolated(unsafe) let fibers: FiberTable
    private nonisolated(unsafe) var result: Result<R, E>?
    private nonisolated(unsafe) var firstError: E?

    // SAFETY: nobody else knows this value yet.
    init(_ fibers: FiberTable) {
        unsafe self.fibers = fibers
        fibers.reopen()
    }

    /// What the function came to, once it has: its value, unless it or a fiber threw first.
    // SAFETY: on the loop's thread.
    var outcome: Result<R, E>? {
        guard let result = unsafe result else { return nil }
        if let error = unsafe firstError { return .failure(error) }
        return result
    }

    /// The function has returned, or thrown: then the fibers are cancelled.
    // SAFETY: on the loop's thread.
    func end(_ result: Result<R, E>) {
        unsafe self.result = result
        if case .failure(let error) = result { cancelFibers(error) }
    }

    // SAFETY: on the loop's thread.
    private func cancelFibers(_ error: E?) {
        if unsafe firstError == nil { unsafe firstError = error }
        unsafe fibers.cancelAll()
    }
}

#if !hasFeature(Embedded)
/// A `run` of any type, as the machinery knows it: something that the failure of a fiber ends.
protocol RunInProgress: AnyObject {
    /// A fiber threw an error that nobody else will see.
    func fiberFailed(_ error: any Error)
}

extension Run {
    func fiberFailed(_ error: any Error) { cancelFibers(error as? E) }
}
#else
/// As in the other build, but that a fiber's error cannot be carried to the run.
protocol RunInProgress: AnyObject {
    func fiberFailed()
}

extension Run {
    func fiberFailed() { cancelFibers(nil) }
}
#endif
