/// What a port can do, as far as its platform and its driver say before it is tried.
public struct SerialCapabilities: Hashable, Sendable {
    /// Speeds that are in no table.
    public var customBaud: Capability = .unknown
    /// The two parities that are no check but a ninth bit.
    public var markAndSpaceParity: Capability = .unknown
    /// With five data bits.
    public var onePointFiveStopBits: Capability = .unknown
    /// Flow control by bytes in the stream.
    public var xonXoff: Capability = .unknown
    /// Flow control by RTS and CTS.
    public var rtsCts: Capability = .unknown
    /// Flow control by DTR and DSR.
    public var dtrDsr: Capability = .unknown
    /// DTR and RTS can be set, CTS, DSR, RI and CD read.
    public var modemLines: Capability = .unknown
    /// Changes of the lines, breaks and receive errors are told (``SerialPort/events``).
    public var lineEvents: Capability = .unknown
    /// Breaks can be sent.
    public var breaks: Capability = .unknown
    /// Others can be kept out.
    public var exclusive: Capability = .unknown
    /// The driver can be told to pass on each byte at once.
    public var lowLatency: Capability = .unknown
    /// RTS can switch a transmitter.
    public var rs485: Capability = .unknown
    /// Whether the last bit has left is known: ``SerialPort/drain(timeout:)`` is exact.
    public var exactDrain: Capability = .unknown

    /// Nothing is known.
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
