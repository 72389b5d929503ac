import LoopCore
import _Concurrency

extension SerialPort {
    /// Writes all of it: returns when the driver has taken the last byte, which is before it has been sent (``drain(timeout:)``).
    ///
    /// Where the time is up or the task is cancelled first the error says how many bytes the driver had taken.
    public func write(_ bytes: [UInt8], timeout: Duration? = nil) async throws(SerialError) {
        let deadline = Deadline(timeout, stream.operations)
        do throws(WaitError) { try await stream.writeTurn.take(deadline) } catch { throw SerialError(error, .write, moved: 0) }
        defer { stream.writeTurn.give() }
        stream.statistics.writes += 1
        var sent = 0
        while sent < bytes.count {
            let end = min(bytes.count, sent + (stream.watchdogs.isEmpty ? SerialPort.writeBytesMax : SerialPort.watchedBytesMax))
            sent += try await write(bytes[sent..<end], deadline, after: sent)
        }
    }

    /// Writes the bytes of a text, in UTF-8.
    public func write(_ text: String, timeout: Duration? = nil) async throws(SerialError) {
        try await write([UInt8](text.utf8), timeout: timeout)
    }

    /// One write of the system's.
    private static let writeBytesMax = 64 << 10
    /// The same under a watchdog, to whom only the end of one shows that something moves.
    private static let watchedBytesMax = 1 << 10

    private func write(_ bytes: ArraySlice<UInt8>, _ deadline: Deadline, after sent: Int) async throws(SerialError) -> Int {
        let stream = stream
        if let ending = stream.ending { throw ending }
        try stream.checkWatchdogs(.write)
        let outcome: Outcome
        do throws(OperationError) {
            outcome = try await stream.operations.perform(
                on: stream.handle, capacity: bytes.count, timeout: stream.patience(deadline)
            ) { op in
                // SAFETY: both are as many bytes as the slice has.
                op.withBuffer { buffer in unsafe buffer.withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes) } }
                return op.write(count: bytes.count)
            }
        } catch {
            throw stream.whyNot(.write, error, moved: sent)
        }
        let count = max(0, outcome.count)
        stream.sent(bytes.prefix(count))
        switch outcome.end {
        case .stuck: throw .stuck(.write)
        case .timedOut where count < bytes.count:
            try stream.checkWatchdogs(.write)
            // A watchdog's time has been moved on by what was received meanwhile.
            if deadline.isAhead(stream.operations.now) { return count }
            stream.statistics.timeouts += 1
            throw .timedOut(.write, moved: sent + count)
        case .cancelled where count < bytes.count: throw stream.ending ?? .cancelled(.write, moved: sent + count)
        case .timedOut, .cancelled, .finished: break
        }
        if outcome.error != .none {
            if let ending = stream.ending { throw ending }
            throw stream.device.isGone(outcome.error) ? .disconnected : .system(.write, outcome.error)
        }
        return count
    }
}

extension SerialStream {
    func sent(_ bytes: ArraySlice<UInt8>) {
        guard !bytes.isEmpty else { return }
        statistics.bytesSent += UInt64(bytes.count)
        noteMove()
        guard let tap else { return }
        // SAFETY: the span is the slice's, for the time of the call.
        unsafe bytes.withUnsafeBytes { unsafe tap(.output, operations.now, RawSpan(_unsafeBytes: $0)) }
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
