import LoopCore
import StreamOps
import _Concurrency

extension SerialPort {
    /// Writes all of it: returns when the driver has taken the last byte, which is before it has been sent (``drain(timeout:)``).
    ///
    /// Where the time is up or the task is cancelled first the error says how many bytes the driver had taken.
    @inlinable
    public nonisolated(nonsending) func write(_ bytes: [UInt8], timeout: Duration? = nil) async throws(SerialError) {
        let sent = try opened.writeNow(bytes)
        if sent < bytes.count { try await opened.writeOn(bytes, after: sent, timeout) }
    }
}

extension SerialStream {
    /// Writes what the driver takes at once, and says how much that was: nothing where somebody else is writing.
    // SAFETY: the span is the array's, for the time of calls that do not wait.
    // Here for the reason that `lendAtOnce` gives.
    @inline(never)
    func writeNow(_ bytes: [UInt8]) throws(SerialError) -> Int {
        guard writeTurn.isFree else { return 0 }
        try checkWriting(after: 0)
        let count = device.writeNow(unsafe bytes.span.bytes.extracting(first: writeBytesMax))
        if count > 0 { statistics.writes += 1 }
        sent(unsafe bytes.span.bytes.extracting(first: count))
        return count
    }

    /// The rest of a write: in pieces, each of which may have to wait.
    // SAFETY: as above.
    func writeOn(_ bytes: [UInt8], after begun: Int, _ timeout: Duration?) async throws(SerialError) {
        let deadline = Deadline.after(timeout, operations)
        if !writeTurn.takeIfFree() {
            do throws(WaitError) { try await writeTurn.wait(deadline) } catch { throw SerialError(error, .write, moved: begun) }
        }
        defer { writeTurn.give() }
        var sent = begun
        while sent < bytes.count {
            let piece = sent..<min(bytes.count, sent + writeBytesMax)
            guard let id = try beginWrite(unsafe bytes.span.bytes.extracting(piece), after: sent) else {
                sent = piece.upperBound
                continue
            }
            let outcome: Outcome
            do throws(OperationError) {
                outcome = try await operations.awaitOp(id, timeout: patience(deadline))
            } catch {
                throw whyNot(.write, error, moved: sent)
            }
            sent += try wrote(unsafe bytes.span.bytes.extracting(piece), outcome, deadline, after: sent)
        }
    }

    /// Bytes of one write of the system's. Under a watchdog fewer: only the end of one shows that something moves.
    var writeBytesMax: Int { watchdogs.isEmpty ? 64 << 10 : 1 << 10 }

    /// Throws where nothing is to be written any more.
    private func checkWriting(after sent: Int) throws(SerialError) {
        if let ending { throw ending }
        if !watchdogs.isEmpty { try checkWatchdogs(.write) }
        guard !operations.isTaskCancelled else { throw .cancelled(.write, moved: sent) }
    }

    /// Starts a write. Nil where the driver has taken all of it at once.
    // SAFETY: the memory is the operation's, and has room for as many bytes.
    func beginWrite(_ bytes: RawSpan, after sent: Int) throws(SerialError) -> OperationID? {
        try checkWriting(after: sent)
        statistics.writes += 1
        do throws(OperationError) {
            let memory = unsafe try operations.prepare(handle, capacity: bytes.byteCount)
            let id = unsafe memory.id
            unsafe bytes.withUnsafeBytes { source in unsafe memory.buffer.copyMemory(from: source) }
            guard try operations.write(id, count: bytes.byteCount, inline: .allowed) == .done else { return id }
            let completion = try operations.takeFacts(id)
            self.sent(bytes.extracting(first: max(0, completion.count)))
            if completion.error != .none { throw .refused(completion.error) }
            return nil
        } catch {
            throw whyNot(.write, error, moved: sent)
        }
    }

    /// The end of a write that had to wait: how many bytes the driver took, where the write goes on.
    func wrote(
        _ bytes: RawSpan, _ outcome: borrowing Outcome, _ deadline: Deadline, after sent: Int
    ) throws(SerialError) -> Int {
        let count = max(0, outcome.count)
        self.sent(bytes.extracting(first: count))
        switch outcome.end {
        case .stuck: throw .stuck(.write)
        case .timedOut where count < bytes.byteCount:
            try checkWatchdogs(.write)
            // A watchdog's time has been moved on by what was received meanwhile.
            if deadline.isAhead(operations.now) { return count }
            statistics.timeouts += 1
            throw .timedOut(.write, moved: sent + count)
        case .cancelled where count < bytes.byteCount: throw ending ?? .cancelled(.write, moved: sent + count)
        case .timedOut, .cancelled, .finished: break
        }
        if outcome.error != .none {
            if let ending { throw ending }
            throw device.isGone(outcome.error) ? .disconnected : .system(.write, outcome.error)
        }
        return count
    }
}

extension SerialStream {
    func sent(_ bytes: RawSpan) {
        guard !bytes.isEmpty else { return }
        statistics.bytesSent += UInt64(bytes.byteCount)
        noteMove()
        if let tap { tap(.output, operations.now, bytes) }
    }

    /// What the loop's refusal of an operation says about the port.
    func whyNot(_ call: SerialCall, _ error: OperationError, moved: Int) -> SerialError {
        if let ending { return ending }
        switch error {
        case .cancelled: return .cancelled(call, moved: moved)
        case .closed, .notAssociated: return .closed
        case .refused(let code): return device.isGone(code) ? .disconnected : .system(call, code)
        default: return .loop(call, error)
        }
    }
}
