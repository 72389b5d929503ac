public import LoopCore
import _Concurrency

/// An open serial port on a loop.
///
/// ```swift
/// let port = try await SerialPort.open("/dev/ttyUSB0", SerialSettings(baud: 9_600), on: loop)
/// try await port.write("AT\r", timeout: .seconds(1))
/// let answer = try await port.readLine(timeout: .seconds(2))
/// await port.close()
/// ```
///
/// What comes is read at once and waits in a bounded buffer, so no byte is lost when a read times out or its task is cancelled: the next
/// read gets it. When the buffer is full nothing more is taken from the driver, and flow control holds back the other side. Any number of
/// tasks may call: reads are served one after the other, and so are writes. An idle port costs nothing.
///
/// Every call that waits has a timeout or takes none on purpose, and none outlives its own by more than the loop's cancel grace, whatever
/// the driver does. Dropping the last reference closes the port.
public actor SerialPort: OnLoop {
    /// The loop it lives on.
    public nonisolated let loop: EventLoop
    /// The path it was opened with.
    public nonisolated let path: SerialText
    let stream: SerialStream
    /// What the calls are made with that need not become this actor's first.
    @usableFromInline nonisolated let opened: OpenSerialPort
    /// Dropped with this actor, whichever thread does that.
    private let owner: RemoteCompletion?

    init(_ device: any SerialDevice, path: SerialText, _ settings: SerialSettings, on loop: isolated EventLoop) throws(SerialError) {
        self.loop = loop
        self.path = path
        let operations = loop.operations(for: loop)
        let stream = try SerialStream(device, settings, operations)
        self.stream = stream
        opened = OpenSerialPort(stream)
        owner = stream.endWhenDropped()
    }

    /// The settings as they are in force.
    public var settings: SerialSettings { stream.settings }

    /// What this port can do.
    public var capabilities: SerialCapabilities { stream.device.capabilities }

    /// What it has done since it was opened.
    public var statistics: SerialStatistics { stream.statistics }

    /// Why the port serves nobody any more; nil while it does.
    public var ending: SerialError? { stream.ending }

    /// Shows a function everything that goes through the port; nil ends that.
    public func setTap(_ tap: sending SerialTap?) { stream.tap = tap }

    /// Ends the port, and returns when the system has its handle back: at once where the driver is healthy, and always within the loop's
    /// cancel grace and two seconds. Calls under way end with ``SerialError/closed``. A second call waits for the same end.
    ///
    /// What has not been sent is discarded, because a system that waits for it may wait for ever; with `draining` it is given so long to
    /// leave first.
    @discardableResult
    public func close(draining: Duration? = nil) async -> CloseReport {
        if let draining, stream.ending == nil { try? await drain(timeout: draining) }
        stream.finish(.closed)
        return await stream.awaitClose()
    }
}
