#if PORTLOOP_WINDOWS
import LoopCore
import StreamOps
import _Concurrency

// The life of a pipe's end.
//
//    open ──closed, dropped, loop over──► ending ──packets in, or grace over──► closed
//
//    open   → ending  [finish: nobody is served any more; those who wait are told why]
//    ending → closed  [the ledger has every packet back, or gives up on some: the handle goes back to the system]

/// One end of a named pipe without tasks. It belongs to the loop's thread.
///
/// A read is started when somebody wants bytes and none are there, and goes on whatever becomes of him: what it brings is the next
/// reader's. So no timeout and no cancellation can lose a byte, and nothing is read ahead but what one read has room for.
final class PipeStream {
    let operations: Operations
    private let pipe: NativePipe
    private let handle: AssociatedHandle
    /// Who reads and who writes: one call at a time of each.
    let readTurn: Turn
    let writeTurn: Turn
    let input = ByteQueue(capacity: 512)
    private let arrivals: WaitQueue
    private var reads: OperationKind?
    private var isReading = false
    /// The other side has ended.
    private(set) var isOver = false
    private var failure: SocketError?
    /// Why nobody is served any more.
    private(set) var ending: SocketError?
    private var isClosed = false
    private let closed: WaitQueue

    /// Takes a pipe over that is connected and associated.
    init(_ pipe: NativePipe, _ handle: AssociatedHandle, _ operations: Operations) throws(SocketError) {
        self.pipe = pipe
        self.handle = handle
        self.operations = operations
        readTurn = Turn(operations)
        writeTurn = Turn(operations)
        arrivals = operations.makeWaitQueue()
        closed = operations.makeWaitQueue()
        do throws(OperationError) {
            reads = try operations.kind(on: handle) { [self] id, end in readEnded(id, end) }
        } catch {
            throw SocketError(error, .open)
        }
    }

    /// The loop has ended, and closes nothing itself.
    deinit { if ending == nil { pipe.close() } }

    // MARK: reading

    /// Takes the reader's turn, or waits for it.
    nonisolated(nonsending) func takeReadTurn(_ deadline: Deadline) async throws(SocketError) {
        if readTurn.takeIfFree() { return }
        do throws(WaitError) { try await readTurn.wait(deadline) } catch { throw ending ?? SocketError(error, .read) }
    }

    /// Shows a reader what is there, each time there is what he wants, until he takes some. The caller has the turn.
    nonisolated(nonsending) func read(
        _ atLeast: Int, _ deadline: Deadline, _ interByte: Duration?, _ body: (RawSpan, Bool) -> StreamStep
    ) async throws(SocketError) {
        var wanted = atLeast
        while true {
            let isLast = try await waitForInput(wanted, deadline, interByte)
            switch input.withBytes({ body($0, isLast) }) {
            case .take(let count): return drop(count)
            case .more(let atLeast): wanted = max(atLeast, input.count + 1)
            }
            if isLast { throw .ended(received: input.count) }
        }
    }

    /// Waits until so many bytes are there, or until there will be no more: whether that is so.
    nonisolated(nonsending) func waitForInput(
        _ wanted: Int, _ deadline: Deadline, _ interByte: Duration?
    ) async throws(SocketError) -> Bool {
        while true {
            if let ending { throw ending }
            if wanted <= input.count || isOver { return isOver }
            if let failure { throw failure }
            // What the kernel has is read, however little time there is.
            let isThere = !isReading && !deadline.isAhead(operations.now) && pipe.hasBytes
            startReading()
            guard isReading else { continue }
            do throws(WaitError) {
                try await arrivals.wait(timeout: isThere ? nil : patience(deadline, interByte))
            } catch {
                throw ending ?? SocketError(error, .read, moved: input.count)
            }
        }
    }

    /// What is there, copied, when it is so many bytes; fewer where no more will come. For a reader on another thread, who has the turn.
    nonisolated(nonsending) func copyInput(
        _ wanted: Int, _ deadline: Deadline, _ interByte: Duration?
    ) async throws(SocketError) -> (bytes: [UInt8], isOver: Bool) {
        let isLast = try await waitForInput(wanted, deadline, interByte)
        return (input.copy(), isLast)
    }

    func drop(_ count: Int) {
        if count < 0 || count > input.count { trap("A reader took \(count) bytes of \(input.count).") }
        input.drop(count)
    }

    private func patience(_ deadline: Deadline, _ interByte: Duration?) -> Duration? {
        let left = deadline.isSet ? deadline.left(operations.now) : nil
        guard let interByte, !input.isEmpty else { return left }
        return left.map { min($0, interByte) } ?? interByte
    }

    // SAFETY: of the prepared memory the id alone is used.
    private func startReading() {
        guard !isReading, let reads else { return }
        do throws(OperationError) {
            let id = unsafe try operations.prepare(reads, capacity: PipeStream.readBytes).id
            isReading = true
            try operations.read(id)
        } catch {
            isReading = false
            failure = SocketError(error, .read)
        }
    }

    private func readEnded(_ id: OperationID, _ end: WaitEnd) {
        isReading = false
        if case .stuck = end {
            failure = .stuck(.read)
        } else {
            try? operations.withResult(id) { completion, bytes in
                input.append(bytes)
                note(completion)
            }
        }
        arrivals.wakeFirst()
    }

    /// What a read says of the pipe. One without bytes may be a write without bytes; the end has a status of its own.
    private func note(_ completion: Completion) {
        switch completion.severity {
        case .success, .warning: if completion.count == 0, completion.status != .success { isOver = true }
        case .error: failure = SocketError(completion.error, .read)
        case .aborted: break  // By us, as the pipe ends; or by a stranger, and then it is made again.
        }
    }

    /// What one read has room for: a pipe that waits has this memory and no more.
    private static let readBytes = 16 << 10

    // MARK: writing

    nonisolated(nonsending) func write(_ bytes: [UInt8], _ timeout: Duration?) async throws(SocketError) {
        let deadline = Deadline.after(timeout, operations)
        if !writeTurn.takeIfFree() {
            do throws(WaitError) { try await writeTurn.wait(deadline) } catch { throw ending ?? SocketError(error, .write) }
        }
        defer { writeTurn.give() }
        var sent = 0
        while sent < bytes.count {
            if let ending { throw ending }
            let piece = bytes[sent..<min(bytes.count, sent + PipeStream.writeBytesMax)]
            sent += try await operations.write(piece, on: handle, deadline, moved: sent) { ending }
        }
    }

    /// Bytes of one write of the system's, which it takes whole. What a write that is given up has moved the system does not always say:
    /// less than this it may have been besides.
    private static let writeBytesMax = 16 << 10

    // MARK: ending

    /// Nobody is served any more: those who wait are told, and the handle goes back to the system.
    func finish(_ error: SocketError) {
        guard ending == nil else { return }
        ending = error
        arrivals.wakeAll()
        operations.retire(handle, closing: { [self] in close() })
    }

    private func close() {
        pipe.close()
        isClosed = true
        closed.wakeAll()
    }

    /// Waits for the end of closing, whatever becomes of the task.
    nonisolated(nonsending) func awaitClose() async {
        await closed.waitShielded(until: { isClosed })
    }
}
#endif
