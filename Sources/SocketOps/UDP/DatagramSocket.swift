import LoopCore
import StreamOps
import _Concurrency

/// A socket for datagrams without tasks. It belongs to the loop's thread.
final class DatagramSocket {
    private let operations: Operations
    private let native: NativeSocket
    private let handle: AssociatedHandle
    private let readTurn: Turn
    private let writeTurn: Turn
    /// Whether the kernel may have a datagram: it has not said since that it has none.
    private var mayHaveMore = true
    private var ending: SocketError?
    private var isClosed = false
    private let closed: WaitQueue

    init(_ native: NativeSocket, _ handle: AssociatedHandle, _ operations: Operations) {
        self.native = native
        self.handle = handle
        self.operations = operations
        readTurn = Turn(operations)
        writeTurn = Turn(operations)
        closed = operations.makeWaitQueue()
    }

    /// The loop has ended, and closes nothing itself.
    deinit { if ending == nil { native.close() } }

    func ask<R>(_ call: SocketCall, _ body: (NativeSocket) throws(SocketRefusal) -> R) throws(SocketError) -> R {
        if let ending { throw ending }
        return try native.check(call, body)
    }

    // MARK: receiving

    nonisolated(nonsending) func receive(_ timeout: Duration?) async throws(SocketError) -> Datagram {
        let deadline = Deadline.after(timeout, operations)
        if !readTurn.takeIfFree() {
            do throws(WaitError) { try await readTurn.wait(deadline) } catch { throw ending ?? SocketError(error, .receive) }
        }
        defer { readTurn.give() }
        while true {
            if let datagram = try receiveNow() { return datagram }
            try await wait(.receive, deadline) { op in op.read() }
            mayHaveMore = true
        }
    }

    // SAFETY: the memory is the loop's for the time of the call, and so many of its bytes were written as are copied.
    private func receiveNow() throws(SocketError) -> Datagram? {
        if let ending { throw ending }
        guard mayHaveMore else { return nil }
        var (sender, isCut, bytes) = (SocketAddress(), false, [UInt8]())
        let moved = unsafe operations.withScratch { memory in
            let moved = unsafe native.receive(into: memory, from: &sender, isCut: &isCut)
            if case .bytes(let count) = moved { bytes = unsafe [UInt8](memory.prefix(count)) }
            return moved
        }
        switch moved {
        case .bytes: return Datagram(bytes: bytes, sender: sender, isCut: isCut)
        case .wouldBlock: mayHaveMore = false
        case .failed(let code): throw SocketError(code, .receive)
        }
        return nil
    }

    // MARK: sending

    nonisolated(nonsending) func send(
        _ bytes: [UInt8], _ address: SocketAddress?, _ timeout: Duration?
    ) async throws(SocketError) {
        let deadline = Deadline.after(timeout, operations)
        if !writeTurn.takeIfFree() {
            do throws(WaitError) { try await writeTurn.wait(deadline) } catch { throw ending ?? SocketError(error, .send) }
        }
        defer { writeTurn.give() }
        while try !sendNow(bytes, address) { try await wait(.send, deadline) { op in op.poll(.writable) } }
    }

    // SAFETY: the bytes are the array's, for the time of the call.
    private func sendNow(_ bytes: [UInt8], _ address: SocketAddress?) throws(SocketError) -> Bool {
        if let ending { throw ending }
        switch unsafe bytes.withUnsafeBytes({ unsafe native.send($0, to: address) }) {
        case .bytes: return true
        case .wouldBlock: return false
        case .failed(let code): throw SocketError(code, .send)
        }
    }

    // SAFETY: of the prepared memory the id alone is used.
    nonisolated(nonsending) func connect(_ address: SocketAddress) async throws(SocketError) {
        if let ending { throw ending }
        // It writes down a name: that is done at once.
        let id: OperationID
        do throws(OperationError) {
            id = try unsafe operations.prepare(handle, address: .one).id
            try operations.connect(id, to: address)
            native.becomeConnected()
            let outcome = try await operations.awaitOp(id)
            guard outcome.error == .none else { throw OperationError.refused(outcome.error) }
        } catch {
            throw ending ?? SocketError(error, .connect)
        }
    }

    private nonisolated(nonsending) func wait(
        _ call: SocketCall, _ deadline: Deadline, _ body: (consuming PreparedOp) -> Decision
    ) async throws(SocketError) {
        // A wait may end with nothing, and that again and again.
        if deadline.isSet, !deadline.isAhead(operations.now) { throw .timedOut(call, moved: 0) }
        let outcome: Outcome
        do throws(OperationError) {
            outcome = try await operations.perform(on: handle, timeout: deadline.left(operations.now), body)
        } catch {
            throw ending ?? SocketError(error, call)
        }
        if let ending { throw ending }
        switch outcome.end {
        case .finished: return
        case .timedOut: throw .timedOut(call, moved: 0)
        case .cancelled: throw .cancelled(call, moved: 0)
        case .stuck: throw .stuck(call)
        }
    }

    // MARK: ending

    func finish() {
        guard ending == nil else { return }
        ending = .closed
        operations.retire(handle, closing: { [self] in close() })
    }

    private func close() {
        native.close()
        isClosed = true
        closed.wakeAll()
    }

    nonisolated(nonsending) func awaitClose() async {
        await closed.waitShielded(until: { isClosed })
    }
}
