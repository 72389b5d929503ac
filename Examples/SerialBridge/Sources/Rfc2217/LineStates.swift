/// The lines that the device drives, as RFC 2217 numbers them: how they are, and in the lower half which of them changed.
public struct ModemState: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let cts = ModemState(rawValue: 16)
    public static let dsr = ModemState(rawValue: 32)
    public static let ring = ModemState(rawValue: 64)
    public static let carrier = ModemState(rawValue: 128)

    /// The lines as they are now, with those that changed. Of a ring only the end is told.
    public init(now: ModemState, changed: ModemState) {
        let told = now.contains(.ring) ? changed.subtracting(.ring) : changed
        rawValue = now.rawValue & 0xF0 | told.rawValue >> 4
    }

    /// What a client hears of it; nil if nothing that it asked for has changed. A line that is asked for is asked for with its changes.
    public func masked(by mask: UInt8) -> UInt8? { rawValue & 0x0F & (mask | mask >> 4) == 0 ? nil : rawValue & (mask | mask >> 4) }
}

/// What happened to the characters.
public struct LineState: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let overrun = LineState(rawValue: 2)
    public static let parityError = LineState(rawValue: 4)
    public static let framingError = LineState(rawValue: 8)
    public static let breakReceived = LineState(rawValue: 16)

    /// What a client hears of it; nil if that is nothing that it asked for.
    public func masked(by mask: UInt8) -> UInt8? { rawValue & mask == 0 ? nil : rawValue & mask }
}

/// The values of ``ComPortMessage/control(_:)``.
public enum ComPortControl: UInt8, Hashable, Sendable, CaseIterable {
    case flowAsked = 0
    case noFlowControl
    case xonXoff
    case rtsCts
    case breakAsked
    case breakOn
    case breakOff
    case dtrAsked
    case dtrOn
    case dtrOff
    case rtsAsked
    case rtsOn
    case rtsOff
    case inboundFlowAsked
    case noInboundFlowControl
    case inboundXonXoff
    case inboundRtsCts
    case outboundCarrier
    case inboundDtr
    case outboundDsr
}
