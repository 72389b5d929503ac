public import LoopCore

/// Why there is no watch, or no event.
public enum WatchError: Error, Hashable, Sendable {
    /// The system refused, with its own code.
    case system(WatchCall, SystemCode)
    /// The loop did not accept the directory's handle.
    case notAccepted(AssociationError)
    /// The loop did not take an operation.
    case loop(OperationError)
    /// Somebody waits for the next event already: an event has one receiver.
    case alreadyWaiting
    /// No event came in time. None was lost.
    case timedOut
    /// The task that waited was cancelled. No event was lost.
    case cancelled
}

/// The calls of the system that a watch makes.
public enum WatchCall: UInt8, Hashable, Sendable {
    /// `inotify_init1`, or `CreateFileW` of the directory.
    case open
    /// `inotify_add_watch`.
    case watch
    /// `read`, or `ReadDirectoryChangesW`.
    case read
}
