import LoopCore
import StreamOps
import _Concurrency

/// Attempts to connect to one of several addresses, one beside the other. It belongs to the loop's thread.
///
/// Whatever becomes of the caller, each attempt's socket ends up as the winner's or closed.
final class ConnectRace {
    private let operations: Operations
    private let headStart: Duration
    private var waiting: ArraySlice<SocketAddress>
    private var underWay: [Attempt] = []
    private var timer: TimerID?
    private let news: WaitQueue
    private var outcome: Result<SocketStream, SocketError>?
    private var lastError = SocketError.unreachable
    private var lastNumber = 0

    private struct Attempt {
        let number: Int
        let isTCP: Bool
        let native: NativeSocket
        let handle: AssociatedHandle
    }

    init(_ addresses: [SocketAddress], _ headStart: Duration, _ operations: Operations) {
        self.operations = operations
        self.headStart = headStart
        waiting = ConnectRace.interleaved(addresses)[...]
        news = operations.makeWaitQueue()
    }

    /// The versions of the protocol in turn, beginning with that of the first; within each the order is as it was.
    static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
        guard let family = addresses.first?.family else { return [] }
        var (same, other) = (addresses.filter { $0.family == family }[...], addresses.filter { $0.family != family }[...])
        var mixed: [SocketAddress] = []
        while !same.isEmpty || !other.isEmpty {
            if let next = same.popFirst() { mixed.append(next) }
            if let next = other.popFirst() { mixed.append(next) }
        }
        return mixed
    }

    /// The connection that came first.
    nonisolated(nonsending) func winner(_ timeout: Duration?) async throws(SocketError) -> SocketStream {
        guard !waiting.isEmpty else { throw .malformedAddress }
        guard !Task.isCancelled else { throw .cancelled(.connect, moved: 0) }
        let deadline = Deadline.after(timeout, operations)
        startNext()
        while true {
            if let outcome { return try outcome.get() }
            do throws(WaitError) {
                try await news.wait(timeout: deadline.left(operations.now))
            } catch {
                // One that has come in the meantime is closed when it is dropped.
                giveUp()
                throw SocketError(error, .connect)
            }
        }
    }

    /// Tries the next address, and the ones after it where an attempt fails at once.
    private func startNext() {
        if let timer { operations.cancel(timer) }
        timer = nil
        while outcome == nil, let address = waiting.popFirst() {
            do throws(SocketError) {
                try start(address)
                if !waiting.isEmpty { timer = operations.call(after: headStart) { [self] in startNext() } }
                return
            } catch {
                lastError = error
            }
        }
        if underWay.isEmpty { settle(.failure(lastError)) }
    }

    private func start(_ address: SocketAddress) throws(SocketError) {
        let isTCP = address.ip != nil
        let native = try NativeSocket.make(address.family, .stream)
        let handle = try native.orClose { native throws(SocketError) in
            if isTCP { try native.check(.option) { native throws(SocketRefusal) in try native.set(.noDelay, 1) } }
            return try native.associate(operations)
        }
        lastNumber += 1
        let attempt = Attempt(number: lastNumber, isTCP: isTCP, native: native, handle: handle)
        underWay.append(attempt)
        do throws(OperationError) {
            try connect(attempt, address)
        } catch {
            underWay.removeAll { $0.number == attempt.number }
            close(attempt)
            throw SocketError(error, .connect)
        }
    }

    // SAFETY: of the prepared memory the id alone is used.
    private func connect(_ attempt: Attempt, _ address: SocketAddress) throws(OperationError) {
        let id = unsafe try operations.prepare(attempt.handle, address: .one).id
        try operations.connect(id, to: address)
        try operations.onCompletion(id) { [self] id, end in ended(attempt, id, end) }
    }

    private func ended(_ attempt: Attempt, _ id: OperationID, _ end: WaitEnd) {
        guard let place = underWay.firstIndex(where: { $0.number == attempt.number }) else {
            // Retired: others won, or nobody waits.
            if case .stuck = end { return }
            try? operations.free(id)
            return
        }
        underWay.remove(at: place)
        var completion: Completion?
        if case .finished = end { completion = try? operations.takeFacts(id) }
        guard let completion, completion.error == .none else {
            lastError = completion.map { SocketError($0.error, .connect) } ?? .stuck(.connect)
            close(attempt)
            return startNext()
        }
        settle(.success(SocketStream(attempt.native, attempt.handle, isTCP: attempt.isTCP, operations)))
    }

    private func settle(_ result: Result<SocketStream, SocketError>) {
        guard outcome == nil else { return }
        giveUp()
        outcome = result
        news.wakeAll()
    }

    /// Nothing is tried any more.
    private func giveUp() {
        if let timer { operations.cancel(timer) }
        timer = nil
        waiting = []
        let attempts = underWay
        underWay = []
        for attempt in attempts { close(attempt) }
        if case .success(let stream) = outcome { stream.finish(.closed) }
    }

    private func close(_ attempt: Attempt) {
        operations.retire(attempt.handle, closing: { attempt.native.close() })
    }
}
