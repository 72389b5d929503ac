public import LoopCore

/// The statuses of the simulated kernel, each as the triple its packets carry: the raw NTSTATUS, its Win32 error, and its severity.
///
/// They are Windows' own, because their severities have four classes and an errno has two: what the seam does with a warning or with a
/// success that is not zero can only be tried with these. The pairs are those of RtlNtStatusToDosError, the names those of ntstatus.h.
public struct SimulatedStatus: Hashable, Sendable {
    /// The status word of the packet.
    public let status: RawStatus
    /// The error it translates to; none for the whole success class (C5).
    public let error: SystemCode
    /// Its class.
    public let severity: Severity

    private init(_ status: UInt32, _ error: Int32, _ severity: Severity) {
        self.status = RawStatus(rawValue: status)
        self.error = SystemCode(rawValue: error)
        self.severity = severity
    }

    /// A packet's facts with this status.
    public func completion(count: Int = 0, acquired: NativeHandle = .invalid) -> Completion {
        Completion(count: count, error: error, status: status, severity: severity, acquired: acquired)
    }

    /// STATUS_SUCCESS.
    public static let success = SimulatedStatus(0, 0, .success)
    /// STATUS_TIMEOUT: a success, however it sounds. ReadFile of a serial port ends with it when its time runs out.
    public static let timeout = SimulatedStatus(0x102, 0, .success)
    /// STATUS_BUFFER_OVERFLOW, ERROR_MORE_DATA: the first part of a message.
    public static let moreData = SimulatedStatus(0x8000_0005, 234, .warning)
    /// STATUS_CANCELLED, ERROR_OPERATION_ABORTED.
    public static let cancelled = SimulatedStatus(0xC000_0120, 995, .aborted)
    /// STATUS_REQUEST_ABORTED, ERROR_REQUEST_ABORTED: a write behind one that was cut off; going on would tear the stream.
    public static let requestAborted = SimulatedStatus(0xC000_0240, 1236, .error)
    /// STATUS_IO_DEVICE_ERROR, ERROR_IO_DEVICE.
    public static let deviceError = SimulatedStatus(0xC000_0185, 1117, .error)
    /// STATUS_PIPE_BROKEN, ERROR_BROKEN_PIPE: the peer is gone.
    public static let brokenPipe = SimulatedStatus(0xC000_014B, 109, .error)
    /// STATUS_CONNECTION_REFUSED, ERROR_CONNECTION_REFUSED: nobody listens at the address.
    public static let connectionRefused = SimulatedStatus(0xC000_0236, 1225, .error)
    /// STATUS_INSUFFICIENT_RESOURCES, ERROR_NO_SYSTEM_RESOURCES.
    public static let noResources = SimulatedStatus(0xC000_009A, 1450, .error)
    /// STATUS_INVALID_HANDLE, ERROR_INVALID_HANDLE: the number names nothing, or nothing of this association's.
    public static let invalidHandle = SimulatedStatus(0xC000_0008, 6, .error)
    /// STATUS_INVALID_DEVICE_REQUEST, ERROR_INVALID_FUNCTION: the object cannot do that.
    public static let invalidRequest = SimulatedStatus(0xC000_0010, 1, .error)
    /// STATUS_NOT_SUPPORTED, ERROR_NOT_SUPPORTED: what a driver says that cannot cancel.
    public static let notSupported = SimulatedStatus(0xC000_00BB, 50, .error)
}

extension SystemCode {
    /// ERROR_IO_PENDING: what a native call returns whose packet is still to come.
    public static let simulatedPending = SystemCode(rawValue: 997)
    /// ERROR_PIPE_CONNECTED: success without a packet (C1).
    static let pipeConnected = SystemCode(rawValue: 535)
    /// WSAEMSGSIZE: a warning where Winsock reports it.
    static let messageSize = SystemCode(rawValue: 10040)
}
