import LoopCore
import StreamOps
import _Concurrency

extension SerialPort {
    /// How long a control call may take when it is not told: a driver answers within milliseconds, or is stuck.
    public static let controlTimeout = Duration.seconds(5)

    /// Changes the settings of the open port. What is in flight goes on; bytes on their way may come with the old settings or the new.
    ///
    /// The lines stay as they are, and so do the sizes and what belongs to opening: `dtr`, `rts`, `isExclusive`, `lowLatency`, `rs485`.
    public func configure(_ settings: SerialSettings, timeout: Duration = controlTimeout) async throws(SerialError) {
        try await control(.configure, timeout) { device throws(SerialError) in try device.configure(settings) }
        stream.settings = settings
    }

    /// The lines that the other side drives, as they are now.
    public func lines(timeout: Duration = controlTimeout) async throws(SerialError) -> ModemLines {
        try await control(.lines, timeout) { device throws(SerialError) in try device.inputLines() }
    }

    /// Sets DTR and RTS, in one step where both are named; nil leaves a line as it is.
    public func setLines(dtr: Bool? = nil, rts: Bool? = nil, timeout: Duration = controlTimeout) async throws(SerialError) {
        try await control(.lines, timeout) { device throws(SerialError) in try device.setLines(dtr: dtr, rts: rts) }
    }

    /// Sets the lines, waits, and sets them to the opposite: a reset button of many boards. They are set back whatever becomes of the task.
    public func pulse(dtr: Bool? = nil, rts: Bool? = nil, for time: Duration) async throws(SerialError) {
        try await setLines(dtr: dtr, rts: rts)
        let wait = await waited(time)
        try await shieldedControl(.lines) { device throws(SerialError) in
            try device.setLines(dtr: dtr.map { !$0 }, rts: rts.map { !$0 })
        }
        if let wait { throw SerialError(wait, .lines, moved: 0) }
    }

    /// Holds the line in the state that no character has, so long. It is let go whatever becomes of the task.
    public func sendBreak(for time: Duration = .milliseconds(250)) async throws(SerialError) {
        try await control(.sendBreak, SerialPort.controlTimeout) { device throws(SerialError) in try device.setBreak(true) }
        let wait = await waited(time)
        try await shieldedControl(.sendBreak) { device throws(SerialError) in try device.setBreak(false) }
        if let wait { throw SerialError(wait, .sendBreak, moved: 0) }
    }

    /// Bytes that wait in the driver.
    public func queues(timeout: Duration = controlTimeout) async throws(SerialError) -> SerialQueues {
        try await control(.queues, timeout) { device throws(SerialError) in try device.queues() }
    }

    /// Throws away what was received and not read, or written and not sent.
    public func discard(_ what: SerialDirections, timeout: Duration = controlTimeout) async throws(SerialError) {
        try await control(.discard, timeout) { device throws(SerialError) in try device.discard(what) }
        if what.contains(.input) {
            stream.input.removeAll()
            stream.read()
        }
    }

    /// Makes a call of the device on a helper thread, bounded. What it began goes on there when this has thrown.
    func control<R: Sendable>(
        _ call: SerialCall, _ timeout: Duration?, _ body: @escaping @Sendable (any SerialDevice) throws(SerialError) -> R
    ) async throws(SerialError) -> R {
        if let ending = stream.ending { throw ending }
        try stream.checkWatchdogs(call)
        let device = stream.device
        let deadline = Deadline.after(timeout, stream.operations)
        do throws(OffloadError<SerialError>) {
            return try await loop.offload(timeout: stream.patience(deadline)) { () throws(SerialError) in try body(device) }
        } catch {
            if case .timedOut = error { try stream.checkWatchdogs(call) }
            throw stream.ending ?? SerialError(error, call)
        }
    }

    /// As ``control(_:_:_:)``, whatever becomes of the task: for what has to be undone.
    private func shieldedControl(
        _ call: SerialCall, _ body: @escaping @Sendable (any SerialDevice) throws(SerialError) -> Void
    ) async throws(SerialError) {
        let undoing = loop.spawn(name: "undo on a serial port") { _ async -> Result<Void, SerialError> in
            do throws(SerialError) {
                return .success(try await self.control(call, SerialPort.controlTimeout, body))
            } catch {
                return .failure(error)
            }
        }
        try await undoing.value.get()
    }

    /// Sleeps; why it ended early, if it did.
    func waited(_ time: Duration) async -> WaitError? {
        do throws(WaitError) {
            try await loop.sleep(for: time)
            return nil
        } catch {
            return error
        }
    }
}

extension SerialError {
    init(_ error: OffloadError<SerialError>, _ call: SerialCall) {
        self =
            switch error {
            case .failed(let error): error
            case .timedOut: .timedOut(call, moved: 0)
            case .cancelled: .cancelled(call, moved: 0)
            case .closed: .closed
            case .queueFull: .loop(call, .backpressure(.operationsOnLoop))
            case .noThread(let code): .system(call, code)
            case .notSupported: .system(call, .none)
            }
    }
}
