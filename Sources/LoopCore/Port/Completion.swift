/// What the kernel said about one operation: the facts of its packet.
///
/// Errors are values here (clause C5): a completion with ``error`` 995 or ECANCELED is as ordinary as one with bytes.
///
/// Three words and a byte: it is copied from the kernel to the port, the batch and the record, and a copy is a store for each field.
public struct Completion: Hashable, Sendable {
    /// Bytes moved, as counted by the packet, also on an operation that was cut short; for `poll`, the readiness found.
    public var count: Int
    /// The handle that an `accept` made. Whoever takes the result owns it; a completion that nobody takes has it closed by the port.
    public var acquired: NativeHandle
    /// The error in the lower half, the status in the upper.
    private var codes: UInt64
    /// What the status means for the bytes.
    public var severity: Severity

    /// The platform's error code, ``SystemCode/none`` for every success-class status.
    public var error: SystemCode {
        get { SystemCode(rawValue: Int32(truncatingIfNeeded: codes)) }
        set { codes = codes & ~0xFFFF_FFFF | UInt64(UInt32(bitPattern: newValue.rawValue)) }
    }

    /// The status as the kernel wrote it, for adapters whose API uses success statuses as signals.
    public var status: RawStatus {
        get { RawStatus(rawValue: UInt32(truncatingIfNeeded: codes >> 32)) }
        set { codes = codes & 0xFFFF_FFFF | UInt64(newValue.rawValue) << 32 }
    }

    /// A completion; a success unless said otherwise.
    public init(
        count: Int, error: SystemCode = .none, status: RawStatus = .success, severity: Severity = .success,
        acquired: NativeHandle = .invalid
    ) {
        self.count = count
        self.acquired = acquired
        codes = UInt64(status.rawValue) << 32 | UInt64(UInt32(bitPattern: error.rawValue))
        self.severity = severity
    }
}

/// One entry of a batch: what the port delivers for an operation, or for a key of its own.
@safe public struct Packet {
    /// What the packet is dispatched on.
    public var key: PacketKey
    /// The control block the kernel was given; nil where the key has none.
    public var block: UnsafeMutableRawPointer?
    /// What the kernel said.
    public var completion: Completion

    /// A packet for a key, with the control block where the key has one.
    // SAFETY: the block is only compared with the addresses the ledger knows; it is never followed before that check (C6).
    public init(key: PacketKey, block: UnsafeMutableRawPointer?, completion: Completion) {
        self.key = key
        unsafe self.block = unsafe block
        self.completion = completion
    }
}

/// The completion key a packet came with. A packet is dispatched on it first; its pointer is looked at only for ``operation``.
public struct PacketKey: Hashable, Sendable {
    public let rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Operations of the ledger ("PORTLOOP" in ASCII, read as a big-endian number): unlikely in a stranger's packet.
    @inlinable public static var operation: PacketKey { PacketKey(rawValue: 0x504F_5254_4C4F_4F50) }
}
