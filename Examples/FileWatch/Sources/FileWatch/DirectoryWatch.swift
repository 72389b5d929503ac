public import LoopCore
import _Concurrency

/// A directory that is watched for changes: its entries are created, removed, renamed and modified, and each such event is handed out once.
///
/// ```swift
/// let watch = try await DirectoryWatch(on: loop, path: "/var/spool")
/// while let event = try await watch.next() { print(event) }
/// print(await watch.ending ?? .closed)
/// ```
///
/// From the moment it is made it misses nothing: events wait in a bounded queue, and where a queue is full, this one or the kernel's, a
/// ``DirectoryEvent/rescan(_:)`` stands for what was lost. It ends when the directory goes, or when it is closed; events that had been
/// read by then are still handed out. Dropping the last reference closes it, too.
///
/// Subdirectories are entries like any other: what happens inside them is not watched.
public actor DirectoryWatch: OnLoop {
    public nonisolated let loop: EventLoop
    private lazy var operations = loop.operations(for: self)
    /// Nil while the watch is being made, and for good if that failed.
    private var watching: Watching?
    /// Dropped with this actor, whichever thread does that.
    private var owner: RemoteCompletion?

    /// Begins to watch a directory. At most `eventsMax` events wait to be taken.
    ///
    /// Finding the directory is a call of the system that may block where the path leads to a slow file system.
    public init(on loop: EventLoop, path: String, eventsMax: Int = 1_024) async throws(WatchError) {
        try await self.init(on: loop, source: NativeDirectory(path: path), eventsMax: eventsMax)
    }

    init(on loop: EventLoop, source: sending any ChangeSource, eventsMax: Int) async throws(WatchError) {
        guard eventsMax > 0 else { trap("A watch needs room for one event at least, and was given room for \(eventsMax).") }
        self.loop = loop
        // From here on this runs on the loop: the actor is whole.
        let watching = try Watching(source, operations, eventsMax: eventsMax)
        self.watching = watching
        owner = watching.stopWhenDropped()
    }

    /// The next event; nil when there are no more, for the reason in ``ending``.
    ///
    /// With a timeout, or when the task is cancelled, it throws without an event, and none is lost: the next call gets it. One call at a
    /// time may wait.
    public func next(timeout: Duration? = nil) async throws(WatchError) -> DirectoryEvent? {
        guard let watching else { return nil }
        let began = operations.now
        var end = WaitEnd.finished
        while true {
            if let event = watching.takeFirst() { return event }
            switch watching.over {
            case .ended: return nil
            case .failed(let error): throw error
            case nil: break
            }
            switch end {
            case .finished: end = try await waitForNews(of: watching, timeout.map { $0 - elapsed(since: began) })
            case .timedOut: throw .timedOut
            case .cancelled: throw .cancelled
            case .stuck: throw .loop(.stuck)
            }
        }
    }

    private func elapsed(since began: MonotonicInstant) -> Duration { .nanoseconds(operations.now.nanoseconds(since: began)) }

    /// Parks the task until there is something to take. It waits for an operation of its own, not for the read.
    private func waitForNews(of watching: Watching, _ timeout: Duration?) async throws(WatchError) -> WaitEnd {
        guard watching.waiter == nil else { throw .alreadyWaiting }
        var own: RemoteCompletion?
        // Unless it was told, and somebody else waits by now.
        defer { if watching.waiter === own { watching.waiter = nil } }
        do throws(OperationError) {
            return try await operations.perform(on: watching.handle, timeout: timeout) { op in
                op.remote(whenCancelled: .ends) { remote in
                    own = remote
                    watching.waiter = remote
                }
            }.end
        } catch {
            throw error == .cancelled ? .cancelled : .loop(error)
        }
    }

    /// Why there are no more events but those that wait to be taken; nil while the watch goes on, or if it failed.
    public var ending: WatchEnding? {
        if case .ended(let ending) = watching?.over { ending } else { nil }
    }

    /// Ends the watch, and returns when the system has its handle back: at once where the system answers, within the loop's cancel grace
    /// where it does not. Whoever waits for an event is told. Events that were read before are still there to be taken.
    public func close() async {
        guard let watching else { return }
        watching.stop()
        await withCheckedContinuation { continuation in
            watching.onClose { continuation.resume() }
        }
    }
}
