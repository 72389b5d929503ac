/// What a port can do, as far as its platform and its driver say before it is tried.
public struct SerialCapabilities: Hashable, Sendable {
    /// Speeds that are in no table.
    public var customBaud: Capability = .unknown
    public var markAndSpaceParity: Capability = .unknown
    public var onePointFiveStopBits: Capability = .unknown
    public var xonXoff: Capability = .unknown
    public var rtsCts: Capability = .unknown
    public var dtrDsr: Capability = .unknown
    /// DTR and RTS can be set, CTS, DSR, RI and CD read.
    public var modemLines: Capability = .unknown
    /// Changes of the lines, breaks and receive errors are told (``SerialPort/events``).
    public var lineEvents: Capability = .unknown
    public var breaks: Capability = .unknown
    public var exclusive: Capability = .unknown
    public var lowLatency: Capability = .unknown
    public var rs485: Capability = .unknown
    /// Whether the last bit has left is known: ``SerialPort/drain(timeout:)`` is exact.
    public var exactDrain: Capability = .unknown

    public init() {}
}

/// Whether something can be done.
public enum Capability: UInt8, Hashable, Sendable {
    /// The platform has a way. A driver may refuse all the same, and that is an error then.
    case supported
    case unsupported
    /// Only trying tells.
    case unknown
}
