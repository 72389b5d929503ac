internal import CLoopWin32
internal import LoopCore

// Codes of Windows, and what they mean for a completion. Three kinds of number are about: an NTSTATUS is what the kernel writes and what
// a packet carries; a Win32 code is what a call returns, and what an NTSTATUS of a file is translated to; a Winsock code is what an
// NTSTATUS of a socket is translated to.

extension SystemCode {
    init(_ code: UInt32) { self.init(rawValue: Int32(bitPattern: code)) }

    /// ERROR_ACCESS_DENIED.
    static let accessDenied = SystemCode(rawValue: 5)
    static let invalidHandle = SystemCode(rawValue: Int32(portloop_win32_invalid_handle))
    static let endOfFile = SystemCode(rawValue: Int32(portloop_win32_handle_eof))
    static let notSupported = SystemCode(rawValue: Int32(portloop_win32_not_supported))
    static let invalidParameter = SystemCode(rawValue: Int32(portloop_win32_invalid_parameter))
    static let brokenPipe = SystemCode(rawValue: Int32(portloop_win32_broken_pipe))
    static let moreData = SystemCode(rawValue: Int32(portloop_win32_more_data))
    static let timedOut = SystemCode(rawValue: Int32(portloop_win32_wait_timeout))
    static let apcRan = SystemCode(rawValue: Int32(portloop_win32_wait_io_completion))
    static let pipeConnected = SystemCode(rawValue: Int32(portloop_win32_pipe_connected))
    static let aborted = SystemCode(rawValue: Int32(portloop_win32_operation_aborted))
    static let pending = SystemCode(rawValue: Int32(portloop_win32_io_pending))
    static let notFound = SystemCode(rawValue: Int32(portloop_win32_not_found))
    /// ERROR_SHUTDOWN_IN_PROGRESS.
    static let portClosed = SystemCode(rawValue: 1115)

    // Winsock's.
    static let invalidArgument = SystemCode(rawValue: 10022)
    static let notASocket = SystemCode(rawValue: Int32(portloop_win32_not_socket))
    static let messageSize = SystemCode(rawValue: Int32(portloop_win32_message_size))
    static let connectionAborted = SystemCode(rawValue: 10053)
    static let connectionReset = SystemCode(rawValue: Int32(portloop_win32_connection_reset))
    static let notConnected = SystemCode(rawValue: Int32(portloop_win32_not_connected))

    /// Whether `AcceptEx`, or the call that makes its socket an ordinary one, reports the end of a connection that was waiting, rather than
    /// a failure of its own.
    var isOfPendingConnection: Bool { self == .connectionReset || self == .connectionAborted || self == .notConnected }
}

extension RawStatus {
    /// STATUS_CANCELLED.
    static let cancelled = RawStatus(rawValue: 0xC000_0120)
    /// STATUS_BUFFER_OVERFLOW: a warning. ERROR_MORE_DATA of a pipe, WSAEMSGSIZE of a socket.
    static let bufferOverflow = RawStatus(rawValue: 0x8000_0005)
    /// STATUS_HANDLES_CLOSED: a warning by its bits, and what Wine ends an operation with whose socket was closed.
    static let handlesClosed = RawStatus(rawValue: 0x8000_000A)
    /// STATUS_END_OF_FILE.
    static let endOfFile = RawStatus(rawValue: 0xC000_0011)
    /// STATUS_PIPE_BROKEN: the other end was closed.
    static let pipeBroken = RawStatus(rawValue: 0xC000_014B)
    /// STATUS_INVALID_HANDLE.
    static let invalidHandle = RawStatus(rawValue: 0xC000_0008)

    /// A code that a call returned and that has no status of its own. The corresponding macro is `NTSTATUS_FROM_WIN32`.
    init(_ code: SystemCode) { self.init(rawValue: 0xC007_0000 | UInt32(bitPattern: code.rawValue) & 0xFFFF) }

    /// What the kernel goes by when it decides whether a call that returned at once owes a packet: the two top bits. Success and
    /// information (STATUS_TIMEOUT among them) and warnings do, errors do not.
    var severity: Severity {
        switch self {
        case .cancelled, .handlesClosed: .aborted
        default:
            switch rawValue >> 30 {
            case 0b11: .error
            case 0b10: .warning
            default: .success
            }
        }
    }
}

extension Completion {
    static func success(_ count: Int, status: RawStatus = .success) -> Completion { Completion(count: count, status: status) }

    /// A call's own failure.
    static func failure(_ code: SystemCode) -> Completion {
        Completion(count: 0, error: code, status: RawStatus(code), severity: .error)
    }

    /// Ended by a cancel, after `count` bytes.
    static func aborted(count: Int, status: RawStatus = .cancelled) -> Completion {
        Completion(count: count, error: .aborted, status: status, severity: .aborted)
    }

    /// What a packet says whose operation this port knows nothing of but its status and its count.
    init(status: RawStatus, count: Int) {
        switch status.severity {
        case .success: self = .success(count, status: status)
        case .aborted: self = .aborted(count: count, status: status)
        case let severity:
            self.init(count: count, error: Native.error(of: status), status: status, severity: severity)
        }
    }
}
