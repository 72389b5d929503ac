/// The bytes of Telnet (RFC 854) that are more than bytes, and the options that a serial port needs.
public enum Telnet {
    static let escape: UInt8 = 255
    static let subnegotiation: UInt8 = 250
    static let endOfSubnegotiation: UInt8 = 240

    /// All 256 bytes may come (RFC 856).
    public static let binary: UInt8 = 0
    /// Who receives a character sends it back (RFC 857): the device does that, if anybody.
    public static let echo: UInt8 = 1
    /// Nobody has to say "go ahead" (RFC 858).
    public static let suppressGoAhead: UInt8 = 3
    /// The port at the other end is set through the connection (RFC 2217).
    public static let comPort: UInt8 = 44

    /// Bytes of a device as they go through a connection: an escape is doubled.
    public static func escaped(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(escape) else { return bytes }
        return bytes.flatMap { $0 == escape ? [escape, escape] : [$0] }
    }

    public static func subnegotiation(_ option: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [escape, subnegotiation, option] + escaped(payload) + [escape, endOfSubnegotiation]
    }
}

/// What is said about an option.
public enum TelnetVerb: UInt8, Hashable, Sendable, CaseIterable {
    /// "I do it", or "I would like to".
    case will = 251
    case wont = 252
    /// "Do it", or "you may".
    case `do` = 253
    case dont = 254

    public func encoded(_ option: UInt8) -> [UInt8] { [Telnet.escape, rawValue, option] }
}

/// What bytes of a connection turn out to be.
public enum TelnetEvent: Hashable, Sendable {
    /// For the device.
    case data([UInt8])
    case option(TelnetVerb, UInt8)
    /// Something within an option, its escapes undone.
    case subnegotiation(UInt8, [UInt8])
    /// One of the commands of a single byte: a break, "are you there", and others that mean nothing to a port.
    case command(UInt8)
}
