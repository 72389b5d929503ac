import LoopCore
import StreamOps
import _Concurrency

// The life of a connection.
//
//    open ──closed, dropped, loop over──► ending ──packets in, or grace over──► closed
//
//    open   → ending  [finish: nobody is served any more; those who wait are told why]
//    ending → closed  [the ledger has every packet back, or gives up on some: the socket goes back to the system]
//
// A connection that the other side broke off stays open: `failure` is what it says from then on, behind what had been received.

/// A connected socket without tasks. It belongs to the loop's thread.
///
/// Nothing is read before somebody wants it, so that a slow reader holds back the other side. While a reader waits the kernel has no memory
/// of ours: it is asked to tell when there are bytes, and these are then read at once, to where they are wanted.
final class SocketStream {
    let operations: Operations
    let native: NativeSocket
    let handle: AssociatedHandle
    /// Who reads and who writes: one call at a time of each.
    let readTurn: Turn
    let writeTurn: Turn
    /// What was received and nobody took; nil while that is nothing.
    private var input: ByteQueue?
    /// Whether the kernel may have bytes: it has not said since that it has none.
    private var mayHaveMore = true
    /// Whether a read that brought less than it could has taken all.
    private let shortReadsEmpty: Bool
    /// The other side has ended.
    private var isOver = false
    /// This side has ended what it writes.
    private(set) var isFinished = false
    /// The other side broke off.
    private var failure: SocketError?
    /// Why nobody is served any more.
    private(set) var ending: SocketError?
    private var isClosed = false
    /// Those who wait for the end of closing; nil until somebody does.
    private var closed: WaitQueue?
    /// Told once, when the socket is the system's again.
    private var hasClosed: () -> Void = {}

    /// Takes a socket over that is connected and associated.
    init(_ native: NativeSocket, _ handle: AssociatedHandle, isTCP: Bool, _ operations: Operations) {
        self.native = native
        self.handle = handle
        self.operations = operations
        shortReadsEmpty = isTCP && NativeSocket.shortReadsEmpty
        readTurn = Turn(operations)
        writeTurn = Turn(operations)
    }

    /// The loop has ended, and closes nothing itself.
    deinit { if ending == nil { native.close() } }

    /// Associates a connected socket, which is closed where that fails.
    static func take(_ native: NativeSocket, isTCP: Bool, _ operations: Operations) throws(SocketError) -> SocketStream {
        let handle = try native.orClose { native throws(SocketError) in try native.associate(operations) }
        return SocketStream(native, handle, isTCP: isTCP, operations)
    }

    func whenClosed(_ call: @escaping () -> Void) { hasClosed = call }

    // MARK: reading

    /// Bytes that were received and not read.
    var bytesWaiting: Int { input?.count ?? 0 }

    /// Shows a reader what is there, and what the kernel has, until it takes some. False where it wants more than that: `wanted` bytes.
    @inline(never)
    func readNow(_ wanted: inout Int, _ body: (RawSpan, Bool) -> StreamStep) throws(SocketError) -> Bool {
        while true {
            if let ending { throw ending }
            if wanted <= bytesWaiting || isOver {
                if showInput(&wanted, body) { return true }
                if isOver { throw .ended(received: bytesWaiting) }
            } else {
                if let failure { throw failure }
                guard mayHaveMore else { return false }
                if receive(&wanted, body) { return true }
            }
        }
    }

    private func showInput(_ wanted: inout Int, _ body: (RawSpan, Bool) -> StreamStep) -> Bool {
        let isOver = isOver
        let step = input.map { queue in queue.withBytes { body($0, isOver) } } ?? body(RawSpan(), isOver)
        switch step {
        case .take(let count):
            drop(count)
            return true
        case .more(let atLeast):
            wanted = max(atLeast, bytesWaiting + 1)
            return false
        }
    }

    /// Makes one call of the kernel's. What it brings is shown where it lies, if nothing is in front of it.
    // SAFETY: the memory is ours for the time of the call; so many of its bytes were written as the span has, and the span ends first.
    private func receive(_ wanted: inout Int, _ body: (RawSpan, Bool) -> StreamStep) -> Bool {
        unsafe operations.withScratch { memory in
            guard let count = received(unsafe native.receive(into: memory), of: memory.count) else { return false }
            let bytes = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: memory[..<count]))
            guard bytesWaiting == 0, wanted <= count else {
                keep(bytes)
                return false
            }
            switch body(bytes, false) {
            case .take(let taken):
                checkTaken(taken, count)
                if taken < count { keep(bytes.extracting(taken..<count)) }
                return true
            case .more(let atLeast):
                keep(bytes)
                wanted = max(atLeast, count + 1)
                return false
            }
        }
    }

    /// What a call that reads came to: so many bytes, or nil, and then why is noted.
    @inline(__always)
    private func received(_ moved: Moved, of room: Int) -> Int? {
        switch moved {
        case .bytes(0): isOver = true
        case .bytes(let count):
            if count < room, shortReadsEmpty { mayHaveMore = false }
            return count
        case .wouldBlock: mayHaveMore = false
        case .failed(let code): failure = SocketError(code, .read)
        }
        return nil
    }

    /// Reads into a buffer's room: what is there, at once. Nil where that is nothing yet.
    // SAFETY: the memory is the buffer's own room.
    @inline(never)
    func readNow(into buffer: inout IOBuffer) throws(SocketError) -> Int? {
        if let ending { throw ending }
        if let input {
            let count = input.withBytes { buffer.append($0) }
            drop(count)
            return count
        }
        while true {
            if let failure { throw failure }
            if isOver { return 0 }
            guard mayHaveMore else { return nil }
            var found: Int?
            let room = buffer.room
            _ = unsafe buffer.fill { memory in
                found = received(unsafe native.receive(into: memory), of: room)
                return found ?? 0
            }
            if let found { return found }
        }
    }

    private func keep(_ bytes: RawSpan) {
        let queue = input ?? ByteQueue(capacity: max(512, bytes.byteCount))
        queue.append(bytes)
        input = queue
    }

    func drop(_ count: Int) {
        checkTaken(count, bytesWaiting)
        input?.drop(count)
        // No memory for a connection that waits.
        if input?.isEmpty == true { input = nil }
    }

    private func checkTaken(_ count: Int, _ there: Int) {
        if count < 0 || count > there { trap("A reader took \(count) bytes of \(there).") }
    }

    /// Waits until the kernel has something to read, where a call between does not matter.
    nonisolated(nonsending) func waitForInput(_ deadline: Deadline, _ interByte: Duration?) async throws(SocketError) {
        guard let wait = try beginWait(deadline) else { return }
        let end: WaitEnd
        do throws(OperationError) { end = try await operations.awaitEnd(of: wait, timeout: patience(deadline, interByte)) } catch {
            throw waitHasFailed(error)
        }
        try waitHasEnded(wait, end)
    }

    /// Has the kernel tell when there is something to read. Nil where it does at once.
    // SAFETY: of the prepared memory the id alone is used.
    @inline(never)
    func beginWait(_ deadline: Deadline) throws(SocketError) -> OperationID? {
        // A wait may end with nothing to read; that it may do so again and again must not move the end of the call.
        if deadline.isSet, !deadline.isAhead(operations.now) { throw .timedOut(.read, moved: bytesWaiting) }
        do throws(OperationError) {
            let id = unsafe try operations.prepare(handle).id
            guard try operations.read(id, inline: .allowed) == .done else { return id }
            try operations.free(id)
        } catch {
            throw waitHasFailed(error)
        }
        mayHaveMore = true
        return nil
    }

    @inline(never)
    func waitHasFailed(_ error: OperationError) -> SocketError { ending ?? SocketError(error, .read, moved: bytesWaiting) }

    /// Notes how a wait for something to read has ended, and throws what it was if not that. There may be nothing to read. Of an end the
    /// next read hears, and of an error too, but where the kernel says it once: by the wait's packet.
    @inline(never)
    func waitHasEnded(_ wait: OperationID, _ end: WaitEnd) throws(SocketError) {
        mayHaveMore = true
        if case .stuck = end { throw ending ?? .stuck(.read) }
        do throws(OperationError) {
            let facts = try operations.takeFacts(wait)
            if facts.error != .none, facts.severity == .error { failure = SocketError(facts.error, .read) }
        } catch {
            throw waitHasFailed(error)
        }
        if case .finished = end, ending == nil { return }
        throw whyNot(end)
    }

    @inline(never)
    private func whyNot(_ end: WaitEnd) -> SocketError {
        if let ending { return ending }
        switch end {
        case .timedOut: return .timedOut(.read, moved: bytesWaiting)
        case .cancelled: return .cancelled(.read, moved: bytesWaiting)
        case .stuck, .finished: return .stuck(.read)
        }
    }

    /// Waits for the reader's turn where somebody else has it.
    nonisolated(nonsending) func waitForReadTurn(_ deadline: Deadline) async throws(SocketError) {
        do throws(WaitError) { try await readTurn.wait(deadline) } catch { throw ending ?? SocketError(error, .read) }
    }

    /// How long a reader waits at most: inside a frame no longer than the silence it allows.
    @inline(never)
    func patience(_ deadline: Deadline, _ interByte: Duration?) -> Duration? {
        if interByte == nil, !deadline.isSet { return nil }
        let left = deadline.isSet ? deadline.left(operations.now) : nil
        guard let interByte, bytesWaiting > 0 else { return left }
        return left.map { min($0, interByte) } ?? interByte
    }

    // MARK: ending

    /// Nobody is served any more: those who wait are told, and the socket goes back to the system.
    func finish(_ error: SocketError, aborting: Bool = false) {
        guard ending == nil else { return }
        ending = error
        operations.retire(handle, closing: { [self] in close(aborting) })
    }

    private func close(_ aborting: Bool) {
        if aborting { native.abort() } else { native.close() }
        isClosed = true
        input = nil
        closed?.wakeAll()
        let call = hasClosed
        hasClosed = {}
        call()
    }

    /// Waits for the end of closing, whatever becomes of the task.
    nonisolated(nonsending) func awaitClose() async {
        guard !isClosed else { return }
        await closed.made(by: operations).waitShielded(until: { isClosed })
    }

    /// Says that nothing more will be written.
    func finishWriting() throws(SocketError) {
        if let ending { throw ending }
        guard !isFinished else { return }
        isFinished = true
        do throws(SocketRefusal) { try native.shutdown(.writing) } catch { throw SocketError(error.code, .finishWriting) }
    }
}

extension NativeSocket {
    /// Binds the socket to the loop. Whoever reads from it reads all there is before he waits.
    func associate(_ operations: Operations) throws(SocketError) -> AssociatedHandle {
        do throws(AssociationError) {
            return try operations.associate(handle, options: .drainsBetweenWaits)
        } catch {
            throw .association(error)
        }
    }
}

extension SocketStream {
    /// Asks the socket something, or sets it up; not once it is closed, when its number may be another's.
    func ask<R>(_ call: SocketCall, _ body: (NativeSocket) throws(SocketRefusal) -> R) throws(SocketError) -> R {
        if let ending { throw ending }
        return try native.check(call, body)
    }
}
