public import LoopCore
import _Concurrency

/// What happens on the lines of a port, while somebody listens.
///
/// ```swift
/// let events = port.events()
/// while let event = try await events.next() { print(event) }
/// ```
///
/// On Linux the driver counts, and is asked now and then: nothing that happens between two questions is missed, and when nobody listens
/// nobody is asked. On Windows the driver tells. Either way the first to listen is told what has happened since the port was opened. A port
/// has one listener's worth of events: what one takes the other does not get.
public actor SerialEvents: OnLoop {
    /// The loop it lives on.
    public nonisolated let loop: EventLoop
    private let port: SerialPort
    /// How often a driver that counts is asked.
    private let interval: Duration
    private var waiting: [SerialEvent] = []

    init(_ port: SerialPort, interval: Duration) {
        loop = port.loop
        self.port = port
        self.interval = interval
    }

    /// The next event; nil when the port was closed. Throws ``SerialError/timedOut(_:moved:)`` where none came in time.
    public func next(timeout: Duration? = nil) async throws(SerialError) -> SerialEvent? {
        let ends = timeout.map { loop.now.advanced(by: $0) }
        while true {
            if !waiting.isEmpty { return waiting.removeFirst() }
            waiting = await port.takeNoted()
            guard waiting.isEmpty else { continue }
            let now = loop.now
            if let ends, now >= ends { throw .timedOut(.events, moved: 0) }
            do throws(SerialError) {
                try await listen(ends.map { .nanoseconds($0.nanoseconds(since: now)) })
            } catch {
                if error == .closed { return nil }
                throw error
            }
        }
    }

    private func listen(_ left: Duration?) async throws(SerialError) {
        waiting += try await port.takeEvents(left)
        guard waiting.isEmpty, await port.eventStyle == .counts else { return }
        do throws(WaitError) {
            try await loop.sleep(for: left.map { min($0, interval) } ?? interval)
        } catch {
            throw SerialError(error, .events, moved: 0)
        }
    }
}

extension LineCounters {
    /// What happened since, once for each kind and each that was counted.
    func events(since last: LineCounters, _ lines: ModemLines) -> [SerialEvent] {
        var events: [SerialEvent] = []
        func happened(_ event: SerialEvent, _ now: UInt32, _ before: UInt32) {
            for _ in 0..<min(now &- before, 1_000) { events.append(event) }
        }
        var changed: ModemLines = []
        if cts != last.cts { changed.insert(.cts) }
        if dsr != last.dsr { changed.insert(.dsr) }
        if ri != last.ri { changed.insert(.ri) }
        if cd != last.cd { changed.insert(.cd) }
        if !changed.isEmpty { events.append(.linesChanged(changed, now: lines)) }
        happened(.breakReceived, breaks, last.breaks)
        happened(.parityError, parityErrors, last.parityErrors)
        happened(.framingError, framingErrors, last.framingErrors)
        happened(.overrun, overruns, last.overruns)
        happened(.bufferOverrun, bufferOverruns, last.bufferOverruns)
        return events
    }
}

extension SerialDevice {
    /// No lines where it has none; a device that is gone has not dropped them.
    fileprivate func inputLinesIfAny() throws(SerialError) -> ModemLines {
        do throws(SerialError) {
            return try inputLines()
        } catch {
            guard case .unsupportedConfiguration = error else { throw error }
            return []
        }
    }
}

extension SerialPort {
    /// What happens on the lines: since the port was opened, or since somebody was told last.
    public nonisolated func events(interval: Duration = .milliseconds(20)) -> SerialEvents { SerialEvents(self, interval: interval) }

    var eventStyle: EventStyle { stream.device.eventStyle }

    func takeNoted() -> [SerialEvent] { stream.takeNoted() }

    func counters() async throws(SerialError) -> (LineCounters, ModemLines) {
        try await control(.events, SerialPort.controlTimeout) { device throws(SerialError) in
            (try device.counters(), try device.inputLinesIfAny())
        }
    }

    /// What the driver tells, after a wait for that, or what it has counted, which may be nothing. A driver is asked by one at a time:
    /// Windows refuses a second wait.
    func takeEvents(_ left: Duration?) async throws(SerialError) -> [SerialEvent] {
        let (stream, deadline) = (stream, Deadline.after(left, stream.operations))
        if !stream.eventTurn.takeIfFree() {
            do throws(WaitError) { try await stream.eventTurn.wait(deadline) } catch { throw SerialError(error, .events, moved: 0) }
        }
        defer { stream.eventTurn.give() }
        switch stream.device.eventStyle {
        case .waits: return try await waitForEvents(deadline)
        case .counts: return try await takeCounted()
        case .none: throw .unsupportedConfiguration(.lines, got: nil)
        }
    }

    /// What was counted since this was asked last, or since the port was opened.
    private func takeCounted() async throws(SerialError) -> [SerialEvent] {
        let (counters, lines) = try await counters()
        defer { stream.counted = (counters, lines) }
        guard let (before, linesBefore) = stream.counted else { return [] }
        let events = counters.events(since: before, lines)
        // A line may differ where its driver counts no changes.
        guard events.isEmpty, lines != linesBefore else { return events }
        return [.linesChanged(lines.symmetricDifference(linesBefore), now: lines)]
    }

    /// Waits for the driver to tell, with an operation of its own.
    private func waitForEvents(_ deadline: Deadline) async throws(SerialError) -> [SerialEvent] {
        let stream = stream
        if let ending = stream.ending { throw ending }
        let outcome: Outcome
        do throws(OperationError) {
            let left = deadline.left(stream.operations.now)
            outcome = try await stream.operations.perform(on: stream.handle, capacity: 16, timeout: left) { op in
                stream.device.waitForEvent(op)
            }
        } catch {
            throw stream.whyNot(.events, error, moved: 0)
        }
        switch outcome.end {
        case .timedOut: throw .timedOut(.events, moved: 0)
        case .cancelled: throw stream.ending ?? .cancelled(.events, moved: 0)
        case .stuck: throw .stuck(.events)
        case .finished: break
        }
        if let ending = stream.ending { throw ending }
        guard outcome.error == .none else {
            throw stream.device.isGone(outcome.error) ? .disconnected : .system(.events, outcome.error)
        }
        return outcome.withBytes { stream.device.events(in: $0) }
    }
}
