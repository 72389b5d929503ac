/// Which options are on, on either side of a connection. A value: it is told what the other side says, and returns what to answer.
///
/// Nothing is answered that changes nothing, or two sides would go on for ever (RFC 854); what was asked for is not asked for again.
public struct TelnetOptions: Sendable {
    private enum State {
        case off
        case asked
        case on
    }

    /// What this side may do, and what the other may.
    private var ours: [UInt8: State]
    private var theirs: [UInt8: State]

    /// A side that agrees to these.
    public init(
        ours: Set<UInt8> = [Telnet.binary, Telnet.echo, Telnet.suppressGoAhead, Telnet.comPort],
        theirs: Set<UInt8> = [Telnet.binary, Telnet.suppressGoAhead, Telnet.comPort]
    ) {
        self.ours = Dictionary(uniqueKeysWithValues: ours.map { ($0, .off) })
        self.theirs = Dictionary(uniqueKeysWithValues: theirs.map { ($0, .off) })
    }

    /// Whether the other side sets our port.
    public var isComPort: Bool { ours[Telnet.comPort] == .on || theirs[Telnet.comPort] == .on }

    /// Asks the other side to do something, and says what this one would do.
    public mutating func ask(ours asked: [UInt8], theirs askedOfThem: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        for option in asked where ours[option] == .off {
            ours[option] = .asked
            bytes += TelnetVerb.will.encoded(option)
        }
        for option in askedOfThem where theirs[option] == .off {
            theirs[option] = .asked
            bytes += TelnetVerb.do.encoded(option)
        }
        return bytes
    }

    /// What to answer.
    public mutating func hear(_ verb: TelnetVerb, _ option: UInt8) -> [UInt8] {
        switch verb {
        case .will: TelnetOptions.agree(&theirs[option], option, yes: .do, no: .dont)
        case .do: TelnetOptions.agree(&ours[option], option, yes: .will, no: .wont)
        case .wont: TelnetOptions.end(&theirs[option], option, .dont)
        case .dont: TelnetOptions.end(&ours[option], option, .wont)
        }
    }

    private static func agree(_ state: inout State?, _ option: UInt8, yes: TelnetVerb, no: TelnetVerb) -> [UInt8] {
        guard let before = state else { return no.encoded(option) }
        state = .on
        return before == .off ? yes.encoded(option) : []
    }

    private static func end(_ state: inout State?, _ option: UInt8, _ answer: TelnetVerb) -> [UInt8] {
        guard let before = state else { return [] }
        state = .off
        return before == .on ? answer.encoded(option) : []
    }
}
