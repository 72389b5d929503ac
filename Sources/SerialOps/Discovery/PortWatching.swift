import LoopCore
import _Concurrency

// The life of a watch.
//
//    listening ──stop, or the wait failed──► over ──retired──► closed
//
//    listening → over    [finish]
//    over      → closed  [the loop calls when the handle has been retired]

/// Listens for ports that come and go, without tasks: one wait is always under way, and what it brings is only that the list may be
/// another now. It belongs to the loop's thread.
final class PortWatching {
    /// Woken when there is something to look at, or when nothing will come.
    let arrivals: WaitQueue
    /// Whether the list is to be looked at.
    var isStale = false
    /// Ports that went since then, each once.
    private(set) var gone: [SerialText] = []
    /// Why nothing more will come.
    private(set) var ending: SerialError?
    private let news: any SerialPortNews
    private let operations: Operations
    private let handle: AssociatedHandle
    private let closed: WaitQueue
    private var isClosed = false

    init(_ news: any SerialPortNews, _ operations: Operations) throws(SerialError) {
        self.news = news
        self.operations = operations
        arrivals = operations.makeWaitQueue()
        closed = operations.makeWaitQueue()
        do throws(AssociationError) {
            handle = try operations.associate(news.handle)
        } catch {
            guard case .system(let code) = error else { throw .system(.watch, .none) }
            throw .system(.watch, code)
        }
        wait()
    }

    /// Hands out the ports that went, and forgets them.
    func takeGone() -> [SerialText] {
        defer { gone = [] }
        return gone
    }

    /// Takes them back: nobody has looked.
    func giveBack(_ paths: [SerialText]) {
        gone = paths + gone.filter { !paths.contains($0) }
        isStale = true
    }

    // MARK: listening

    private func wait() {
        do throws(OperationError) {
            try operations.perform(on: handle, capacity: news.bytesMax) { op in
                news.wait(op)
            } completed: { [self] id, end in
                waitEnded(id, end)
            }
        } catch {
            finish(.loop(.watch, error))
        }
    }

    private func waitEnded(_ id: OperationID, _ end: WaitEnd) {
        if case .stuck = end { return finish(.stuck(.watch)) }
        var error: SerialError?
        try? operations.withResult(id) { completion, bytes in error = take(completion, bytes) }
        if let error { return finish(error) }
        isStale = true
        arrivals.wakeFirst()
        wait()
    }

    private func take(_ completion: Completion, _ bytes: RawSpan) -> SerialError? {
        switch completion.severity {
        case .success, .warning:
            // News have bytes: without any nobody is there any more who would tell.
            guard completion.count > 0 else { return .system(.watch, completion.error) }
            news.forEachGone(in: bytes) { path in
                if !gone.contains(path) { gone.append(path) }
            }
            return nil
        case .aborted: return .closed
        case .error: return news.isLoss(completion.error) ? nil : .system(.watch, completion.error)
        }
    }

    // MARK: ending

    /// What ends the watch when it is dropped, on any thread: an operation that is over when nobody can complete it any more.
    func stopWhenDropped() -> RemoteCompletion? {
        var owner: RemoteCompletion?
        _ = try? operations.perform(on: handle) { op in
            op.remote(whenCancelled: .ends) { owner = $0 }
        } completed: { [self] id, _ in
            try? operations.free(id)
            finish(.closed)
        }
        return owner
    }

    /// Nothing more will come: whoever waits is told, and the handle goes back to the system.
    func finish(_ error: SerialError) {
        guard ending == nil else { return }
        ending = error
        arrivals.wakeAll()
        do throws(OperationError) {
            try operations.retire(handle) { [self] _ in
                news.close()
                isClosed = true
                closed.wakeAll()
            }
        } catch {
            trap("A watch's handle was retired by somebody else: \(error). It belongs to the watch.")
        }
    }

    /// Waits for the end of closing, whatever becomes of the task.
    func awaitClose(isolation: isolated (any Actor)? = #isolation) async {
        while !isClosed {
            do throws(WaitError) { try await closed.waitShielded() } catch { return news.close() }
        }
    }
}
