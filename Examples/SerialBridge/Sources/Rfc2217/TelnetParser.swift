/// Tells data from commands in the bytes of a connection, however these are cut. A value: it reads nothing, and keeps at most one
/// subnegotiation.
///
/// ```
///            ┌────────────── any byte but 255
///            ▼             │
///          data ──255──► escape ──251…254──► verb ──option──► data
///            ▲             │ └──────250────► option ──► inside ◄──────────┐
///            └── 255, others                              │ 255       255, any byte
///            ▲                                            ▼               │
///            └────────────────── 240 ──────────────── insideEscape ───────┘
/// ```
public struct TelnetParser: Sendable {
    /// Bytes of a subnegotiation that are kept; the longest of RFC 2217 is a signature. Of a longer one nothing is said.
    public static let subnegotiationBytesMax = 1_024

    private enum State: Hashable, Sendable {
        case data
        case escape
        case verb(TelnetVerb)
        case option
        case inside(UInt8)
        case insideEscape(UInt8)
    }

    private var state = State.data
    private var payload: [UInt8] = []

    public init() {}

    /// What these bytes are, with those before them.
    public mutating func parse(_ bytes: some Sequence<UInt8>) -> [TelnetEvent] {
        var (events, data) = ([TelnetEvent](), [UInt8]())
        for byte in bytes {
            if state == .data, byte != Telnet.escape {
                data.append(byte)
            } else if let event = take(byte) {
                if case .data(let escaped) = event {
                    data += escaped
                } else {
                    if !data.isEmpty { events.append(.data(data)) }
                    data = []
                    events.append(event)
                }
            }
        }
        if !data.isEmpty { events.append(.data(data)) }
        return events
    }

    /// One byte that is no plain data.
    private mutating func take(_ byte: UInt8) -> TelnetEvent? {
        switch state {
        case .data:
            state = .escape
            return nil
        case .escape:
            return command(byte)
        case .verb(let verb):
            state = .data
            return .option(verb, byte)
        case .option:
            state = .inside(byte)
            payload = []
            return nil
        case .inside(let option):
            if byte == Telnet.escape { state = .insideEscape(option) } else { keep(byte) }
            return nil
        case .insideEscape(let option):
            return insideEscape(byte, option)
        }
    }

    private mutating func command(_ byte: UInt8) -> TelnetEvent? {
        state = .data
        if byte == Telnet.escape { return .data([byte]) }
        if let verb = TelnetVerb(rawValue: byte) {
            state = .verb(verb)
            return nil
        }
        if byte == Telnet.subnegotiation {
            state = .option
            return nil
        }
        return .command(byte)
    }

    /// What is neither a doubled escape nor the end was meant as a byte by somebody who forgot to double the one before: both are left out.
    private mutating func insideEscape(_ byte: UInt8, _ option: UInt8) -> TelnetEvent? {
        guard byte == Telnet.endOfSubnegotiation else {
            state = .inside(option)
            if byte == Telnet.escape { keep(byte) }
            return nil
        }
        state = .data
        defer { payload = [] }
        return payload.count <= TelnetParser.subnegotiationBytesMax ? .subnegotiation(option, payload) : nil
    }

    /// One byte more than the limit says that there were too many.
    private mutating func keep(_ byte: UInt8) {
        if payload.count <= TelnetParser.subnegotiationBytesMax { payload.append(byte) }
    }
}
