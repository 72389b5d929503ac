import LoopCore
import _Concurrency

extension SerialPort {
    /// Reads what is there, at most `max` bytes, and at least one: waits for the first.
    public func read(max: Int = 65_536, timeout: Duration? = nil) async throws(SerialError) -> [UInt8] {
        guard max > 0 else { trap("A read asks for one byte at least, not for \(max).") }
        return try await receive(timeout, nil, demand: 1) { bytes in bytes.isEmpty ? nil : min(bytes.byteCount, max) }
    }

    /// Reads so many bytes. Where the time is up before they are all there, those that are wait for the next read.
    ///
    /// `interByte` bounds the silence after each byte, where the first is waited for as long as `timeout` says.
    public func readExactly(
        _ count: Int, timeout: Duration? = nil, interByte: Duration? = nil
    ) async throws(SerialError) -> [UInt8] {
        guard count >= 0 else { trap("A read asks for no bytes at least, not for \(count).") }
        return try await receive(timeout, interByte, demand: count) { bytes in bytes.byteCount < count ? nil : count }
    }

    /// Reads up to and with a delimiter. Where `limit` bytes come without one this throws ``SerialError/frameTooLong(limit:)``, and they
    /// are still there to be read.
    public func readUntil(
        _ delimiter: [UInt8], limit: Int = 65_536, timeout: Duration? = nil, interByte: Duration? = nil
    ) async throws(SerialError) -> [UInt8] {
        guard !delimiter.isEmpty else { trap("A delimiter has one byte at least.") }
        var search = DelimiterSearch(delimiter)
        let frame = try await receive(timeout, interByte, demand: limit) { bytes in
            search.end(in: bytes, limit: limit) ?? (bytes.byteCount >= limit ? 0 : nil)
        }
        guard !frame.isEmpty else { throw .frameTooLong(limit: limit) }
        return frame
    }

    /// Reads a line, without its end: a line feed, and a carriage return before it if there is one.
    public func readLine(
        limit: Int = 65_536, timeout: Duration? = nil, interByte: Duration? = nil
    ) async throws(SerialError) -> [UInt8] {
        var line = try await readUntil([0x0A], limit: limit, timeout: timeout, interByte: interByte)
        line.removeLast()
        if line.last == 0x0D { line.removeLast() }
        return line
    }

    /// Lends what is there to a function, which says how many bytes it took; waits for the first byte. Nothing is copied.
    public func read<R: Sendable>(
        timeout: Duration? = nil, _ body: (RawSpan) -> (taken: Int, result: R)
    ) async throws(SerialError) -> R {
        try await waitForInput(timeout, nil, demand: 1) { bytes in bytes.isEmpty ? nil : 1 }
        defer { stream.readTurn.give() }
        let (taken, result) = stream.input.withBytes(body)
        take(taken)
        return result
    }

    /// Bytes that were received and wait to be read, on this side of the driver.
    public var bytesWaiting: Int { stream.input.count }

    private func receive(
        _ timeout: Duration?, _ interByte: Duration?, demand: Int, _ isEnough: (RawSpan) -> Int?
    ) async throws(SerialError) -> [UInt8] {
        let count = try await waitForInput(timeout, interByte, demand: demand, isEnough)
        defer { stream.readTurn.give() }
        let bytes = stream.input.take(count)
        stream.read()
        return bytes
    }

    func take(_ count: Int) {
        stream.input.drop(count)
        stream.read()
    }

    /// Takes the reader's turn and waits until what is there is enough. The turn is the caller's when this returns, and nobody's when it
    /// throws.
    @discardableResult
    func waitForInput(
        _ timeout: Duration?, _ interByte: Duration?, demand: Int, _ isEnough: (RawSpan) -> Int?
    ) async throws(SerialError) -> Int {
        let deadline = Deadline(timeout, stream.operations)
        do throws(WaitError) { try await stream.readTurn.take(deadline) } catch { throw SerialError(error, .read, moved: 0) }
        do throws(SerialError) {
            return try await waitForArrivals(deadline, interByte, demand, isEnough)
        } catch {
            stream.readTurn.give()
            throw error
        }
    }

    private func waitForArrivals(
        _ deadline: Deadline, _ interByte: Duration?, _ demand: Int, _ isEnough: (RawSpan) -> Int?
    ) async throws(SerialError) -> Int {
        let stream = stream
        defer { stream.demand = 0 }
        while true {
            if let count = stream.input.withBytes(isEnough) { return count }
            if let ending = stream.ending { throw ending }
            stream.demand = max(demand, stream.input.count + 1)
            try stream.checkWatchdogs(.read)
            let bound = stream.patience(deadline)
            let gap = stream.input.isEmpty ? nil : interByte
            do throws(WaitError) {
                try await stream.arrivals.wait(timeout: gap.map { min(bound ?? $0, $0) } ?? bound)
            } catch {
                guard error == .timedOut else { throw stream.ending ?? SerialError(error, .read, moved: stream.input.count) }
                try stream.checkWatchdogs(.read)
                // A watchdog's time has been moved on by what was sent meanwhile.
                if gap == nil, deadline.isAhead(stream.operations.now) { continue }
                stream.statistics.timeouts += 1
                throw .timedOut(.read, moved: stream.input.count)
            }
        }
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
