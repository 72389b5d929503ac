/// One message of the option by which a port is set from afar (RFC 2217). What a value means is said where it is used: most are numbers of
/// the RFC's, and zero asks for the one in force.
public enum ComPortMessage: Hashable, Sendable {
    /// A name for people; an empty one asks.
    case signature([UInt8])
    case baud(UInt32)
    case dataSize(UInt8)
    case parity(UInt8)
    case stopSize(UInt8)
    case control(UInt8)
    /// What happened to the characters, as the server says.
    case lineState(UInt8)
    /// The lines, and which of them changed, as the server says.
    case modemState(UInt8)
    case suspend
    case resume
    case lineStateMask(UInt8)
    case modemStateMask(UInt8)
    case purge(UInt8)

    /// Who says it: the server's codes are a hundred higher.
    public enum Side: UInt8, Sendable {
        case client = 0
        case server = 100
    }

    /// Nil for what is no message of this side's, or has fewer bytes than it needs.
    public init?(_ payload: [UInt8], from side: Side) {
        guard let first = payload.first, first >= side.rawValue else { return nil }
        let value = payload.dropFirst()
        switch (first - side.rawValue, value.first) {
        case (0, _): self = .signature(Array(value))
        case (1, _):
            guard value.count >= 4 else { return nil }
            self = .baud(value.prefix(4).reduce(0) { $0 << 8 | UInt32($1) })
        case (2, let value?): self = .dataSize(value)
        case (3, let value?): self = .parity(value)
        case (4, let value?): self = .stopSize(value)
        case (5, let value?): self = .control(value)
        case (6, let value?): self = .lineState(value)
        case (7, let value?): self = .modemState(value)
        case (8, _): self = .suspend
        case (9, _): self = .resume
        case (10, let value?): self = .lineStateMask(value)
        case (11, let value?): self = .modemStateMask(value)
        case (12, let value?): self = .purge(value)
        default: return nil
        }
    }

    /// The bytes for the connection.
    public func encoded(from side: Side) -> [UInt8] {
        let (code, value) = parts
        return Telnet.subnegotiation(Telnet.comPort, [code + side.rawValue] + value)
    }

    private var parts: (UInt8, [UInt8]) {
        switch self {
        case .signature(let text): (0, text)
        case .baud(let baud): (1, [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: baud >> $0) })
        case .dataSize(let value): (2, [value])
        case .parity(let value): (3, [value])
        case .stopSize(let value): (4, [value])
        case .control(let value): (5, [value])
        case .lineState(let value): (6, [value])
        case .modemState(let value): (7, [value])
        case .suspend: (8, [])
        case .resume: (9, [])
        case .lineStateMask(let value): (10, [value])
        case .modemStateMask(let value): (11, [value])
        case .purge(let value): (12, [value])
        }
    }
}
