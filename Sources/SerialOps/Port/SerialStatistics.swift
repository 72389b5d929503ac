public import LoopCore

/// What a port has done since it was opened.
public struct SerialStatistics: Hashable, Sendable {
    /// Bytes that the driver gave.
    public var bytesReceived: UInt64 = 0
    /// Bytes that the driver took.
    public var bytesSent: UInt64 = 0
    /// System reads that brought something.
    public var reads: UInt64 = 0
    /// System reads that brought nothing and were made again.
    public var emptyReads: UInt64 = 0
    /// Writes that were asked for.
    public var writes: UInt64 = 0
    /// Calls that ended because their time was up.
    public var timeouts: UInt64 = 0
    /// Bytes that the driver may have dropped when the system ended a read (``SerialEvent/possiblyLost(_:)``).
    public var possiblyLost: UInt64 = 0
    /// How often the device was found again (``SerialPort/reconnect(timeout:)``).
    public var reconnects: UInt64 = 0

    /// Nothing yet.
    public init() {}
}

/// Sees what goes through a port, for logs: the direction, when it went, and the bytes, lent for the time of the call.
public typealias SerialTap = (SerialDirections, MonotonicInstant, RawSpan) -> Void

/// How the closing of a port went.
public struct CloseReport: Hashable, Sendable {
    /// Operations whose driver answered neither them nor their cancel. Their memory stays with the loop.
    public var operationsLeft: Int
    /// The driver did not close the handle in time: a helper thread still waits for it.
    public var isHandleLeft: Bool

    /// A report, for tests.
    public init(operationsLeft: Int, isHandleLeft: Bool) {
        self.operationsLeft = operationsLeft
        self.isHandleLeft = isHandleLeft
    }

    /// Whether the system has everything back.
    public var isClean: Bool { operationsLeft == 0 && !isHandleLeft }
}
