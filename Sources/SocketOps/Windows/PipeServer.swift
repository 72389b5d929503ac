#if PORTLOOP_WINDOWS
import LoopCore
import StreamOps
import _Concurrency

/// The servers' ends of a named pipe that wait for clients, without tasks. It belongs to the loop's thread.
///
/// Several wait at a time, whether anybody accepts or not: a client that finds none has to try again. One that has come is never lost:
/// where the task that asked for it is gone it is the next one's. As long as nobody takes them no more are let in.
final class PipeServer {
    let operations: Operations
    private let name: [UInt16]
    private var waiting: [Instance] = []
    private var arrived: [Instance] = []
    private let arrivals: WaitQueue
    private var lastNumber = 0
    private var failure: SocketError?
    private var ending: SocketError?
    /// Ends that are on their way back to the system.
    private var closing = 0
    private let closed: WaitQueue

    private struct Instance {
        let number: Int
        let pipe: NativePipe
        let handle: AssociatedHandle
    }

    init(_ name: [UInt16], _ operations: Operations) throws(SocketError) {
        self.name = name
        self.operations = operations
        arrivals = operations.makeWaitQueue()
        closed = operations.makeWaitQueue()
        try add(isFirst: true)
        start()
        if let failure {
            finish()
            throw failure
        }
    }

    /// The loop has ended, and closes nothing itself.
    deinit { if ending == nil { for instance in waiting + arrived { instance.pipe.close() } } }

    // MARK: accepting

    nonisolated(nonsending) func accept(_ timeout: Duration?) async throws(SocketError) -> PipeStream {
        let deadline = Deadline.after(timeout, operations)
        var isTired = false
        while true {
            if let ending { throw ending }
            if let failure {
                self.failure = nil
                throw failure
            }
            if !arrived.isEmpty {
                let instance = arrived.removeFirst()
                start()
                return try PipeStream(instance.pipe, instance.handle, operations)
            }
            start()
            if failure != nil { continue }
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

    /// Has so many ends wait as may.
    private func start() {
        while ending == nil, failure == nil, waiting.count + arrived.count < PipeServer.standing {
            do throws(SocketError) { try add(isFirst: false) } catch { failure = error }
        }
    }

    private func add(isFirst: Bool) throws(SocketError) {
        let pipe: NativePipe
        do throws(SocketRefusal) {
            pipe = try NativePipe.serve(name, isFirst: isFirst)
        } catch {
            // Somebody else serves that name.
            throw isFirst && error.code == NativePipe.accessDenied ? .addressInUse : SocketError(error.code, .listen)
        }
        lastNumber += 1
        let instance = Instance(number: lastNumber, pipe: pipe, handle: try pipe.associate(operations))
        waiting.append(instance)
        do throws(OperationError) {
            try listen(instance)
        } catch {
            waiting.removeAll { $0.number == instance.number }
            close(instance)
            throw SocketError(error, .accept)
        }
    }

    /// Waits for a client; parts with those that came and went before anybody looked.
    // SAFETY: the call gets the operation's own block, and no other.
    private func listen(_ instance: Instance) throws(OperationError) {
        for _ in 0..<PipeServer.hastyClientsMax {
            do throws(OperationError) {
                try operations.perform(on: instance.handle) { op in
                    unsafe op.submit { block, _ in unsafe instance.pipe.connect(block) }
                } completed: { [self] id, end in
                    ended(instance, id, end)
                }
                return
            } catch {
                guard error == .refused(NativePipe.clientGone) else { throw error }
                instance.pipe.disconnect()
            }
        }
        throw .refused(NativePipe.clientGone)
    }

    private func ended(_ instance: Instance, _ id: OperationID, _ end: WaitEnd) {
        var completion: Completion?
        if case .finished = end { completion = try? operations.takeFacts(id) } else { try? operations.free(id) }
        // Retired: nobody listens any more.
        guard let place = waiting.firstIndex(where: { $0.number == instance.number }) else { return }
        waiting.remove(at: place)
        if let completion, completion.error == .none {
            arrived.append(instance)
        } else {
            failure = completion.map { SocketError($0.error, .accept) } ?? .stuck(.accept)
            close(instance)
        }
        start()
        arrivals.wakeFirst()
    }

    /// Ends that wait for clients, or have one that nobody has taken: so many may come at once.
    private static let standing = 4
    /// So many clients in a row may have gone before anybody looked.
    private static let hastyClientsMax = 64

    // MARK: ending

    func finish() {
        guard ending == nil else { return }
        ending = .closed
        arrivals.wakeAll()
        let instances = waiting + arrived
        (waiting, arrived) = ([], [])
        for instance in instances { close(instance) }
    }

    private func close(_ instance: Instance) {
        closing += 1
        operations.retire(instance.handle, closing: { [self] in hasClosed(instance.pipe) })
    }

    private func hasClosed(_ pipe: NativePipe) {
        pipe.close()
        closing -= 1
        closed.wakeAll()
    }

    nonisolated(nonsending) func awaitClose() async {
        await closed.waitShielded(until: { closing == 0 })
    }
}
#endif
