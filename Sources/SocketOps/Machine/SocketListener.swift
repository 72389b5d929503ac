import LoopCore
import StreamOps
import _Concurrency

/// A listening socket without tasks. It belongs to the loop's thread.
///
/// A connection that was accepted is never lost: where the task that asked for it is gone it is the next one's.
final class SocketListener {
    let operations: Operations
    let native: NativeSocket
    private let isTCP: Bool
    private let handle: AssociatedHandle
    private var accepts: OperationKind?
    private var inFlight = 0
    /// Accepted, and not asked for yet.
    private var arrived: [NativeSocket] = []
    private let arrivals: WaitQueue
    private let connectionsMax: Int
    /// Connections of this listener's that are open.
    private(set) var connections = 0
    private var failure: SocketError?
    private(set) var ending: SocketError?
    private var isClosed = false
    private let closed: WaitQueue
    /// The name in the file system that goes with it.
    private let path: [UInt8]?

    init(_ native: NativeSocket, isTCP: Bool, _ options: ListenOptions, path: [UInt8]?, _ operations: Operations) throws(SocketError) {
        self.native = native
        self.isTCP = isTCP
        self.operations = operations
        self.path = path
        connectionsMax = max(1, options.connectionsMax)
        arrivals = operations.makeWaitQueue()
        closed = operations.makeWaitQueue()
        handle = try native.orClose { native throws(SocketError) in try native.associate(operations) }
        do throws(OperationError) {
            accepts = try operations.kind(on: handle) { [self] id, end in ended(id, end) }
        } catch {
            throw SocketError(error, .listen)
        }
    }

    /// The loop has ended, and closes nothing itself.
    deinit { if ending == nil { native.close() } }

    // MARK: accepting

    nonisolated(nonsending) func accept(_ timeout: Duration?) async throws(SocketError) -> SocketStream {
        let deadline = Deadline.after(timeout, operations)
        var isTired = false
        while true {
            if let ending { throw ending }
            if let failure {
                self.failure = nil
                throw failure
            }
            if connections < connectionsMax {
                if !arrived.isEmpty { return try open(arrived.removeFirst()) }
                start()
                if !arrived.isEmpty || failure != nil { continue }
            }
            if isTired { throw .timedOut(.accept, moved: 0) }
            do throws(WaitError) {
                try await arrivals.wait(timeout: deadline.left(operations.now))
            } catch {
                if let ending { throw ending }
                guard error == .timedOut else { throw SocketError(error, .accept) }
                // What came in the same moment is looked at once more.
                isTired = true
            }
        }
    }

    private func open(_ native: NativeSocket) throws(SocketError) -> SocketStream {
        connections += 1
        do throws(SocketError) {
            native.finishAccept()
            if isTCP { try native.orClose { native throws(SocketError) in try native.check(.option, NativeSocket.becomeTCP) } }
            let stream = try SocketStream.take(native, isTCP: isTCP, operations)
            stream.whenClosed { [self] in leave() }
            return stream
        } catch {
            leave()
            throw error
        }
    }

    private func leave() {
        connections -= 1
        arrivals.wakeFirst()
    }

    /// Has as many accepts in flight as tasks wait, and one for the task that asks now.
    // SAFETY: of the prepared memory the id alone is used.
    private func start() {
        guard let accepts else { return }
        let wanted = max(NativeSocket.standingAccepts, min(arrivals.count + 1, SocketListener.acceptsMax))
        while inFlight < wanted, arrived.isEmpty, failure == nil, ending == nil {
            do throws(OperationError) {
                let id = unsafe try operations.prepare(accepts).id
                inFlight += 1
                if try operations.accept(id, inline: .allowed) == .done { accepted(try operations.takeFacts(id)) }
            } catch {
                inFlight -= 1
                failure = SocketError(error, .accept)
            }
        }
    }

    private func ended(_ id: OperationID, _ end: WaitEnd) {
        if case .stuck = end {
            inFlight -= 1
            failure = .stuck(.accept)
        } else if let completion = try? operations.takeFacts(id) {
            accepted(completion)
        }
        arrivals.wakeFirst()
    }

    private func accepted(_ completion: Completion) {
        inFlight -= 1
        let socket = completion.acquired
        guard socket == .invalid else {
            let native = NativeSocket(handle: socket)
            if ending == nil { arrived.append(native) } else { native.close() }
            return
        }
        guard ending == nil, completion.error != .none else { return }
        // Somebody gives sockets back, sooner or later: those who wait go on waiting.
        if SocketError.isShortage(completion.error) {
            operations.call(after: SocketListener.shortagePause) { [self] in arrivals.wakeFirst() }
        } else {
            failure = SocketError(completion.error, .accept)
        }
    }

    private static let acceptsMax = 16
    private static let shortagePause = Duration.milliseconds(100)

    // MARK: ending

    func finish() {
        guard ending == nil else { return }
        ending = .closed
        for native in arrived { native.close() }
        arrived = []
        arrivals.wakeAll()
        operations.retire(handle, closing: { [self] in close() })
    }

    private func close() {
        native.close()
        if let path { NativeSocket.unlink(path) }
        isClosed = true
        closed.wakeAll()
    }

    nonisolated(nonsending) func awaitClose() async {
        await closed.waitShielded(until: { isClosed })
    }
}

extension NativeSocket {
    fileprivate static func becomeTCP(_ native: NativeSocket) throws(SocketRefusal) { try native.set(.noDelay, 1) }

    /// A listening socket at an address.
    static func listening(at address: SocketAddress, _ options: ListenOptions) throws(SocketError) -> NativeSocket {
        let native = try make(address.family, .stream)
        try native.orClose { native throws(SocketError) in
            try native.check(.option) { native throws(SocketRefusal) in try native.prepareToListen(address, options) }
            try native.check(.bind) { native throws(SocketRefusal) in try native.bind(address) }
            try native.check(.listen) { native throws(SocketRefusal) in try native.listen(Int32(clamping: max(1, options.backlog))) }
        }
        return native
    }

    private func prepareToListen(_ address: SocketAddress, _ options: ListenOptions) throws(SocketRefusal) {
        guard address.ip != nil else { return }
        try set(.reuseAddress, 1)
        try set(.exclusiveAddress, 1)
        if options.sharesPort { try set(.reusePort, 1) }
        if address.ip?.isVersion6 == true { try set(.only6, options.isVersion6Only ? 1 : 0) }
    }
}
