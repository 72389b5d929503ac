/// An error number of the platform: an `errno` on Linux, a Win32 or Winsock code on Windows. Zero is success.
public struct SystemCode: Hashable, Sendable, RawRepresentable {
    public let rawValue: Int32

    @inlinable
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// Success.
    @inlinable public static var none: SystemCode { SystemCode(rawValue: 0) }
}

/// The status word of a packet as the kernel wrote it: an NTSTATUS on Windows, an `errno` on Linux.
public struct RawStatus: Hashable, Sendable, RawRepresentable {
    public let rawValue: UInt32

    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Success.
    @inlinable public static var success: RawStatus { RawStatus(rawValue: 0) }
    /// STATUS_PENDING: what a control block says while its work goes on. No packet carries it, but one that somebody forged.
    @inlinable public static var pending: RawStatus { RawStatus(rawValue: 0x103) }
}

/// What a status means for the bytes that came with it. The port decides; the ledger obeys.
public enum Severity: UInt8, Sendable {
    /// The work was done; on Windows every success-class status, STATUS_TIMEOUT (0x102) included.
    case success
    /// The work was done in part and the packet is a completion all the same (ERROR_MORE_DATA, WSAEMSGSIZE): bytes are valid.
    case warning
    /// The work failed. The count is still the packet's (clause C4); the bytes are exposed only where the adapter said they may be.
    case error
    /// The work was ended by a cancel (ECANCELED, STATUS_CANCELLED): the one error that a deadline or a cancelled task explains.
    case aborted
}
