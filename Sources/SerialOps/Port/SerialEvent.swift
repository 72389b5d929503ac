/// Lines that the other side drives.
public struct ModemLines: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Clear to send.
    public static let cts = ModemLines(rawValue: 1)
    /// Data set ready.
    public static let dsr = ModemLines(rawValue: 2)
    /// Ring indicator.
    public static let ri = ModemLines(rawValue: 4)
    /// Carrier detected.
    public static let cd = ModemLines(rawValue: 8)
}

/// Something that happened on the lines, or to what was received.
public enum SerialEvent: Hashable, Sendable {
    /// Lines changed; how all of them are now. One that went there and back is in `changed` all the same.
    case linesChanged(ModemLines, now: ModemLines)
    /// The other side sent a break.
    case breakReceived
    /// A character came with the wrong parity.
    case parityError
    /// A character's stop bit was missing: another speed, or noise.
    case framingError
    /// A byte came with the wrong parity or without a stop bit, and is in the stream at this place, counted from the opening of the port.
    /// For ports that mark damage (``SerialSettings/marksDamage``).
    case damaged(UInt8, at: UInt64)
    /// The hardware had no room for a character: it is lost.
    case overrun
    /// The driver had no room: bytes are lost.
    case bufferOverrun
    /// The system ended a read early and may have dropped so many bytes that the driver had moved already.
    case possiblyLost(Int)
}

/// Bytes that wait in the driver.
public struct SerialQueues: Hashable, Sendable {
    /// Received, and not read by anybody.
    public var input: Int
    /// Written, and not sent.
    public var output: Int

    /// So many bytes each way.
    public init(input: Int, output: Int) {
        self.input = input
        self.output = output
    }
}

/// Directions of a port.
public struct SerialDirections: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Towards this side.
    public static let input = SerialDirections(rawValue: 1)
    /// Towards the device.
    public static let output = SerialDirections(rawValue: 2)
    /// Both ways.
    public static let both: SerialDirections = [.input, .output]
}
