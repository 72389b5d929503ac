import LoopCore

// The life of a watch.
//
//    reading ──directory gone, read failed, or stopped and the read's packet is in──► over ──retired──► closed
//
//    reading → over    [finish, called with each packet of the standing read]
//    over    → closed  [close, called when the handle has been retired]

/// A watch without tasks: the standing read, the events it brought, and the one who waits for them. It belongs to the loop's thread.
///
/// One read is in flight as long as the watch goes on, whoever waits and whether anybody does. Whoever stops waiting leaves the read alone;
/// only the end of the watch ends it.
final class Watching {
    let handle: AssociatedHandle
    /// Who waits for an event. Completed, and taken away, when there is one or when none will come.
    var waiter: RemoteCompletion?
    /// Why no more events will come, but for those in the queue.
    private(set) var over: Over?
    private let source: any ChangeSource
    private let operations: Operations
    private var queue: EventQueue
    private var renames = RenameJoiner()
    private var renameTimer: TimerID?
    private var reading: OperationID?
    private var isStopping = false
    private var isClosed = false
    private var whenClosed: [() -> Void] = []

    enum Over {
        case ended(WatchEnding)
        case failed(WatchError)
    }

    init(_ source: any ChangeSource, _ operations: Operations, eventsMax: Int) throws(WatchError) {
        self.source = source
        self.operations = operations
        queue = EventQueue(eventsMax: eventsMax)
        do throws(AssociationError) { handle = try operations.associate(source.handle) } catch { throw .notAccepted(error) }
        read()
    }

    func takeFirst() -> DirectoryEvent? { queue.takeFirst() }

    // MARK: reading

    /// Starts the standing read, or ends the watch if that is refused.
    private func read() {
        do throws(OperationError) {
            reading = try operations.perform(on: handle, capacity: source.readBytesMax) { op in
                source.read(op)
            } completed: { [self] id, end in
                readEnded(id, end)
            }
        } catch {
            guard case .refused(let code) = error else { return finish(.failed(.loop(error))) }
            finish(over(after: code))
        }
    }

    private func over(after code: SystemCode) -> Over {
        source.ending(after: code).map { .ended($0) } ?? .failed(.system(.read, code))
    }

    /// The packet of the standing read is in: what it brought is kept, whatever has been asked for since, and the next read is started.
    private func readEnded(_ id: OperationID, _ end: WaitEnd) {
        var found: Over?
        if case .stuck = end {
            found = .failed(.loop(.stuck))
        } else {
            try? operations.withResult(id) { completion, bytes in found = take(completion, bytes) }
        }
        if isStopping { found = .ended(.closed) }
        watchRename()
        if let found { finish(found) } else { read() }
        if !queue.isEmpty { tellWaiter() }
    }

    /// Puts what a read brought into the queue. Not nil if it is the last.
    private func take(_ completion: Completion, _ bytes: RawSpan) -> Over? {
        // Ended from outside: by `stop`, or because the loop is shut down.
        if completion.severity == .aborted { return .ended(.closed) }
        var found: Over?
        source.forEachChange(completion, bytes) { change in
            // Behind its end nothing is about the directory any more.
            if found == nil { found = take(change) }
        }
        return found
    }

    private func take(_ change: Change) -> Over? {
        renames.add(change) { queue.append($0) }
        switch change {
        case .gone(let ending): return .ended(ending)
        case .failed(let code): return over(after: code)
        case .lost: return source.endingAfterLoss().map { .ended($0) }
        case .created, .removed, .modified, .attributesChanged, .movedFrom, .movedTo: return nil
        }
    }

    // MARK: renames

    /// So long the second half of a rename is waited for, once the kernel has nothing more. It follows within microseconds, unless the
    /// thread that renames loses its processor in between; and a rename that leads elsewhere is reported so much later.
    private static let renamePatience = Duration.milliseconds(10)

    private func watchRename() {
        if let renameTimer { operations.cancel(renameTimer) }
        renameTimer = nil
        guard renames.isWaiting else { return }
        renameTimer = operations.call(after: Watching.renamePatience) { [self] in
            renameTimer = nil
            renames.flush { queue.append($0) }
            tellWaiter()
        }
    }

    // MARK: telling

    private func tellWaiter() {
        let waiter = waiter.take()
        waiter?.complete()
    }

    // MARK: ending

    /// What stops the watch when it is dropped, on any thread: an operation that is over when nobody can complete it any more. Nil if the
    /// watch has ended already.
    func stopWhenDropped() -> RemoteCompletion? {
        var owner: RemoteCompletion?
        _ = try? operations.perform(on: handle) { op in
            op.remote(whenCancelled: .ends) { owner = $0 }
        } completed: { [self] id, _ in
            try? operations.free(id)
            stop()
        }
        return owner
    }

    /// Ends the watch: asks the read to end, and its packet does the rest, within the loop's grace. What the read brings yet is kept.
    func stop() {
        guard over == nil, !isStopping, let reading else { return }
        isStopping = true
        _ = try? operations.cancel(reading)
    }

    /// No more events will come. The handle is retired before the source closes it, or its number could be somebody else's while the port
    /// still knows it.
    private func finish(_ over: Over) {
        renames.flush { queue.append($0) }
        watchRename()
        self.over = over
        tellWaiter()
        do throws(OperationError) {
            try operations.retire(handle) { [self] _ in close() }
        } catch {
            trap("A watch's handle was retired by somebody else: \(error). It belongs to the watch.")
        }
    }

    private func close() {
        source.close()
        isClosed = true
        for call in whenClosed { call() }
        whenClosed = []
    }

    /// Calls a function once the handle is the system's again; at once if it is.
    func onClose(_ call: @escaping () -> Void) {
        if isClosed { call() } else { whenClosed.append(call) }
    }
}
