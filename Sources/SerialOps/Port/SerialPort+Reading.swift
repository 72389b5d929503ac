import LoopCore
import StreamOps
import _Concurrency

extension SerialPort {
    // Each of these looks first whether what is asked for is there, and returns without a wait. All run where their caller does if that is
    // the loop's thread (``OpenSerialPort``). A caller from elsewhere becomes this actor's first.

    /// Reads what is there, at most `max` bytes, and at least one: waits for the first.
    public nonisolated(nonsending) func read(max: Int = 65_536, timeout: Duration? = nil) async throws(SerialError) -> [UInt8] {
        guard max > 0 else { trap("A read asks for one byte at least, not for \(max).") }
        guard loop.isOnLoopThread else {
            return try await fromElsewhere { port async throws(SerialError) in try await port.read(max: max, timeout: timeout) }
        }
        let stream = opened.here.on(loop)
        if stream.readTurn.isFree, !stream.input.isEmpty { return stream.take(min(stream.input.count, max)) }
        try await stream.waitForInput(timeout, nil, demand: 1) { bytes in bytes.isEmpty ? nil : 1 }
        defer { stream.readTurn.give() }
        return stream.take(min(stream.input.count, max))
    }

    /// Reads so many bytes. Where the time is up before they are all there, those that are wait for the next read.
    ///
    /// `interByte` bounds the silence after each byte, where the first is waited for as long as `timeout` says.
    public nonisolated(nonsending) func readExactly(
        _ count: Int, timeout: Duration? = nil, interByte: Duration? = nil
    ) async throws(SerialError) -> [UInt8] {
        guard count >= 0 else { trap("A read asks for no bytes at least, not for \(count).") }
        guard loop.isOnLoopThread else {
            return try await fromElsewhere { port async throws(SerialError) in
                try await port.readExactly(count, timeout: timeout, interByte: interByte)
            }
        }
        let stream = opened.here.on(loop)
        if stream.readTurn.isFree, stream.input.count >= count { return stream.take(count) }
        try await stream.waitForInput(timeout, interByte, demand: count) { bytes in bytes.byteCount < count ? nil : count }
        defer { stream.readTurn.give() }
        return stream.take(count)
    }

    /// Reads up to and with a delimiter. Where `limit` bytes come without one this throws ``SerialError/frameTooLong(limit:)``, and they
    /// are still there to be read.
    public nonisolated(nonsending) func readUntil(
        _ delimiter: [UInt8], limit: Int = 65_536, timeout: Duration? = nil, interByte: Duration? = nil
    ) async throws(SerialError) -> [UInt8] {
        guard !delimiter.isEmpty else { trap("A delimiter has one byte at least.") }
        guard loop.isOnLoopThread else {
            return try await fromElsewhere { port async throws(SerialError) in
                try await port.readUntil(delimiter, limit: limit, timeout: timeout, interByte: interByte)
            }
        }
        let stream = opened.here.on(loop)
        var search = DelimiterSearch(delimiter)
        if stream.readTurn.isFree, let end = stream.input.withBytes({ search.end(in: $0, limit: limit) }) { return stream.take(end) }
        let end = try await stream.waitForInput(timeout, interByte, demand: limit) { bytes in
            search.end(in: bytes, limit: limit) ?? (bytes.byteCount >= limit ? 0 : nil)
        }
        defer { stream.readTurn.give() }
        guard end > 0 else { throw .frameTooLong(limit: limit) }
        return stream.take(end)
    }

    /// Lends what is there to a function, which says how many of the bytes it took; waits for the first byte. Nothing is copied, unless the
    /// caller is on another thread than the loop's.
    @inlinable
    public nonisolated(nonsending) func read<R: Sendable>(
        timeout: Duration? = nil, _ body: (_ bytes: RawSpan, _ taken: inout Int) -> R
    ) async throws(SerialError) -> R {
        var result: R?
        try await opened.lend(timeout) { bytes in
            var taken = 0
            result = body(bytes, &taken)
            return taken
        }
        guard let result else { trapUnanswered() }
        return result
    }

    /// Runs a call on this actor, and so on the loop's thread.
    func fromElsewhere<R: Sendable>(
        _ call: @Sendable (isolated SerialPort) async throws(SerialError) -> R
    ) async throws(SerialError) -> R { try await call(self) }

    /// Bytes that were received and wait to be read, on this side of the driver.
    public var bytesWaiting: Int { stream.input.count }
}

extension SerialStream {
    /// Shows a function what is there, if anything is and nobody waits for more, and drops as many bytes as it says.
    // Here and not in the port: what a stream keeps is retained for the time of a call, unless it is the stream that calls (counted).
    @inline(never)
    func lendAtOnce(_ body: (RawSpan) -> Int) -> Bool {
        guard readTurn.isFree, !input.isEmpty else { return false }
        lend(body)
        return true
    }

    /// Shows a function what is there, and drops as many bytes as it says.
    @inline(__always)
    func lend(_ body: (RawSpan) -> Int) { drop(input.withBytes(body)) }

    /// Takes the reader's turn, unless its caller has it, and waits until what is there is enough. The turn is the caller's when this
    /// returns, and nobody's when it throws. `demand` is asked for whenever it was not.
    @discardableResult
    @inline(__always)
    func waitForInput(
        _ timeout: Duration?, _ interByte: Duration?, demand: @autoclosure () -> Int, hasTurn: Bool = false, _ isEnough: (RawSpan) -> Int?
    ) async throws(SerialError) -> Int {
        let deadline = Deadline.after(timeout, operations)
        if !hasTurn, !readTurn.takeIfFree() { try await waitForReadTurn(deadline) }
        do throws(SerialError) {
            while true {
                if let count = input.withBytes(isEnough) {
                    self.demand(0)
                    return count
                }
                var patience = try beginWait(deadline, interByte, demand())
                if readEndsInPlace(&patience, #isolation) { continue }
                do throws(WaitError) {
                    try await arrivals.wait(timeout: patience)
                } catch {
                    try readIsOver(error, deadline, interByte)
                }
            }
        } catch {
            self.demand(0)
            readTurn.give()
            throw error
        }
    }

    /// Takes bytes that are there, copied.
    func take(_ count: Int) -> [UInt8] {
        defer { read() }
        return input.take(count)
    }

    func drop(_ count: Int) {
        input.drop(count)
        read()
    }

    /// Waits for the reader's turn where somebody else has it.
    @inline(never)
    func waitForReadTurn(_ deadline: Deadline) async throws(SerialError) {
        do throws(WaitError) { try await readTurn.wait(deadline) } catch { throw SerialError(error, .read, moved: 0) }
    }

    /// A reader is about to wait for more than is there, at least so many bytes: how long at most.
    func beginWait(_ deadline: Deadline, _ interByte: Duration?, _ wanted: Int) throws(SerialError) -> Duration? {
        let patience = try readerPatience(deadline, interByte)
        demand(max(wanted, input.count + 1))
        return patience
    }

    /// How long a reader may wait at most; throws where there is nothing to wait for.
    func readerPatience(_ deadline: Deadline, _ interByte: Duration?) throws(SerialError) -> Duration? {
        if let ending { throw ending }
        if !watchdogs.isEmpty { try checkWatchdogs(.read) }
        let bound = patience(deadline)
        guard let interByte, !input.isEmpty else { return bound }
        return bound.map { min($0, interByte) } ?? interByte
    }

    /// Waits for the standing read in place, if that can be: true if it has ended. The patience is what is left of it.
    func readEndsInPlace(_ patience: inout Duration?, _ isolation: (any Actor)?) -> Bool {
        guard let reading, !device.firstByteComesAlone else { return false }
        return operations.endsInPlace(reading, timeout: &patience, isolation: isolation)
    }

    /// A reader's wait ended without a byte. Returns where it is to wait on.
    func readIsOver(_ error: WaitError, _ deadline: Deadline, _ interByte: Duration?) throws(SerialError) {
        guard error == .timedOut else { throw ending ?? SerialError(error, .read, moved: input.count) }
        try checkWatchdogs(.read)
        // A watchdog's time has been moved on by what was sent meanwhile.
        if interByte == nil || input.isEmpty, deadline.isAhead(operations.now) { return }
        statistics.timeouts += 1
        throw .timedOut(.read, moved: input.count)
    }
}

extension SerialError {
    init(_ error: WaitError, _ call: SerialCall, moved: Int) {
        self =
            switch error {
            case .timedOut: .timedOut(call, moved: moved)
            case .cancelled: .cancelled(call, moved: moved)
            case .closed: .closed
            }
    }
}
