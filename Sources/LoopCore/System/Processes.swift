/// Which process.
public enum ProcessReference: Hashable, Sendable {
    /// By its number.
    case id(Int)
    /// By a handle of the caller's, who keeps it: a pidfd on Linux, a process handle on Windows.
    case handle(NativeHandle)
}

/// How a process ended.
public enum ExitStatus: Hashable, Sendable {
    /// It ended by itself, with this code: eight bits on Linux, 32 on Windows.
    case exited(code: UInt32)
    /// A signal ended it. Not on Windows.
    case killed(signal: Int32)
}

/// Why there is no exit status. The codes are the platform's own.
public enum ProcessError: Error, Hashable, Sendable {
    /// There is no such process, or not any more.
    case noSuchProcess(SystemCode)
    /// It is somebody else's child: only a parent is told how its child ended. Not on Windows.
    case notAChild(SystemCode)
    /// It has ended, and somebody else has taken its status: another wait for it, or a handler of SIGCHLD. Not on Windows.
    case statusTaken(SystemCode)
    /// The system allows no wait for it.
    case notPermitted(SystemCode)
    /// The task was cancelled.
    case cancelled
    /// The time was up.
    case timedOut
    /// The loop was shut down.
    case closed
    /// The loop's port watches no processes, or the system cannot.
    case notSupported
    /// The system refused otherwise.
    case system(SystemCode)
    /// The loop refused the handle that the process ended on.
    case association(AssociationError)
    /// The loop refused the wait.
    case operation(OperationError)
}

/// A process that is waited for.
public protocol ProcessWatch: SystemSource {
    /// Takes the status of the process; nil while it runs. The corresponding functions are `waitid` and `GetExitCodeProcess`.
    func takeStatus() throws(ProcessError) -> ExitStatus?
}
