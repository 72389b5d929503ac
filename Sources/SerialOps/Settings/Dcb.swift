/// The settings of a Windows port as numbers of its driver's: a `DCB`, field for field.
///
/// A value, so that the translation is tried out on every platform and for all settings. Whatever is not named here is the driver's own,
/// and goes back to it as it came: a state is read, changed and written.
package struct Dcb: Hashable, Sendable {
    package var length: UInt32 = 28
    package var baudRate: UInt32 = 0
    package var flags: DcbFlags = []
    package var reserved: UInt16 = 0
    /// So few bytes in the driver's queue let the other side go on, and so few free ones stop it.
    package var xonLimit: UInt16 = 0
    package var xoffLimit: UInt16 = 0
    package var byteSize: UInt8 = 0
    /// Numbered as ``Parity`` is: NOPARITY, ODDPARITY, EVENPARITY, MARKPARITY, SPACEPARITY.
    package var parityCode: UInt8 = 0
    /// Numbered as ``StopBits`` is: ONESTOPBIT, ONE5STOPBITS, TWOSTOPBITS.
    package var stopBitsCode: UInt8 = 0
    package var xonCharacter: UInt8 = 0
    package var xoffCharacter: UInt8 = 0
    package var errorCharacter: UInt8 = 0
    package var endCharacter: UInt8 = 0
    package var eventCharacter: UInt8 = 0
    package var reserved1: UInt16 = 0

    package init() {}

    /// These settings on a line that passes bytes as they are. The output lines stay as they are, but where flow control takes one or gives
    /// one back.
    package mutating func set(_ settings: SerialSettings) {
        baudRate = settings.baud
        byteSize = settings.dataBits.rawValue
        parityCode = settings.parity.rawValue
        stopBitsCode = settings.stopBits.rawValue
        flags.subtract(.alwaysOff)
        flags.insert(.binary)
        flags.set(.parity, settings.parity != .none)
        set(settings.flowControl)
    }

    private mutating func set(_ flowControl: FlowControl) {
        flags.subtract(.flowControl)
        flags.formUnion(DcbFlags.of(flowControl))
        rtsControl = flowControl == .rtsCts ? .handshake : rtsControl.byHand
        dtrControl = flowControl == .dtrDsr ? .handshake : dtrControl.byHand
        // A driver refuses two characters that are the same, also where it uses neither.
        (xonCharacter, xoffCharacter) = (0x11, 0x13)
        guard flowControl == .xonXoff else { return }
        // The other side may have to be stopped while this one is not.
        flags.insert(.continuesOnXoff)
        if xonLimit == 0 { xonLimit = 2_048 }
        if xoffLimit == 0 { xoffLimit = 512 }
    }

    /// What the output lines are to be, both in one state; nil leaves one as it is. A line that flow control has is left to it.
    package mutating func setLines(dtr: Bool?, rts: Bool?) {
        if let dtr, dtrControl != .handshake { dtrControl = dtr ? .enabled : .disabled }
        if let rts, rtsControl != .handshake { rtsControl = rts ? .enabled : .disabled }
    }

    /// The first setting that no driver has a way for; nil where there is none.
    package static func impossible(in settings: SerialSettings) -> SerialSetting? {
        if settings.baud == 0 { return .baud }
        switch settings.stopBits {
        case .one: break
        case .onePointFive where settings.dataBits == .five: break
        case .two where settings.dataBits != .five: break
        default: return .stopBits
        }
        // A port of Windows is opened by one program at a time, whatever anybody asks for.
        if !settings.isExclusive { return .exclusive }
        if settings.lowLatency { return .lowLatency }
        if settings.marksDamage { return .marksDamage }
        return settings.rs485 == nil ? nil : .rs485
    }

    // MARK: reading back

    package var dtrControl: LineControl {
        get { LineControl(rawValue: flags.rawValue >> DcbFlags.dtrShift & 3) ?? .disabled }
        set { flags.set(newValue, at: DcbFlags.dtrShift) }
    }

    package var rtsControl: LineControl {
        get { LineControl(rawValue: flags.rawValue >> DcbFlags.rtsShift & 3) ?? .disabled }
        set { flags.set(newValue, at: DcbFlags.rtsShift) }
    }

    /// Nil for a number that is none of ours.
    package var dataBits: DataBits? { DataBits(rawValue: byteSize) }

    /// By the code alone: a driver need not keep the flag.
    package var parity: Parity? { Parity(rawValue: parityCode) }

    package var stopBits: StopBits? { StopBits(rawValue: stopBitsCode) }

    /// The first kind that anything of is on.
    package var flowControl: FlowControl {
        if rtsControl == .handshake || flags.contains(.outputNeedsCts) { return .rtsCts }
        if dtrControl == .handshake || flags.contains(.outputNeedsDsr) { return .dtrDsr }
        return flags.isDisjoint(with: [.outputObeysXoff, .inputSendsXoff]) ? .none : .xonXoff
    }

    /// The first setting that is not as it was asked for, with what it is instead; nil where everything is.
    package func difference(from settings: SerialSettings, as memory: DcbMemory) -> (SerialSetting, got: UInt32)? {
        if !settings.accepts(baud: baudRate) { return (.baud, baudRate) }
        if !has(settings.flowControl, as: memory) { return (.flowControl, UInt32(flowControl.rawValue)) }
        if memory == .winesPseudoTerminal { return nil }
        if dataBits != settings.dataBits { return (.dataBits, UInt32(byteSize)) }
        if parity != settings.parity { return (.parity, UInt32(parityCode)) }
        if stopBits != settings.stopBits { return (.stopBits, UInt32(stopBitsCode)) }
        return nil
    }

    /// Whether this kind is on, all of it, and nothing of another.
    private func has(_ wished: FlowControl, as memory: DcbMemory) -> Bool {
        let kept = flags.intersection([.outputNeedsCts, .outputNeedsDsr, .outputObeysXoff, .inputSendsXoff])
        guard kept == DcbFlags.of(wished) else { return false }
        return memory != .windows || (rtsControl == .handshake) == (wished == .rtsCts) && (dtrControl == .handshake) == (wished == .dtrDsr)
    }
}

/// How much of a state the system remembers.
package enum DcbMemory: Sendable {
    /// All of it.
    case windows
    /// All but the output lines: they read as enabled, whoever has them.
    case wine
    /// Nor parity and sizes: a pseudo terminal has none.
    case winesPseudoTerminal
}

/// What moves an output line.
package enum LineControl: UInt32, Sendable {
    /// Off when the port is opened, and then whoever asks.
    case disabled
    /// On when the port is opened, and then whoever asks.
    case enabled
    /// Whether the driver has room.
    case handshake
    /// RTS alone: on while there is something to send.
    case toggle

    /// As it is to be without flow control.
    fileprivate var byHand: LineControl { self == .handshake || self == .toggle ? .enabled : self }
}

/// The bit field of a `DCB`.
package struct DcbFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// fBinary. Windows has no other kind.
    package static let binary = DcbFlags(rawValue: 1)
    /// fParity.
    package static let parity = DcbFlags(rawValue: 1 << 1)
    /// fOutxCtsFlow.
    package static let outputNeedsCts = DcbFlags(rawValue: 1 << 2)
    /// fOutxDsrFlow.
    package static let outputNeedsDsr = DcbFlags(rawValue: 1 << 3)
    /// fDsrSensitivity: bytes that come while DSR is off are dropped.
    package static let inputNeedsDsr = DcbFlags(rawValue: 1 << 6)
    /// fTXContinueOnXoff.
    package static let continuesOnXoff = DcbFlags(rawValue: 1 << 7)
    /// fOutX.
    package static let outputObeysXoff = DcbFlags(rawValue: 1 << 8)
    /// fInX.
    package static let inputSendsXoff = DcbFlags(rawValue: 1 << 9)
    /// fErrorChar: bytes with errors are replaced.
    package static let replacesErrors = DcbFlags(rawValue: 1 << 10)
    /// fNull: zeros are dropped.
    package static let dropsZeros = DcbFlags(rawValue: 1 << 11)
    /// fAbortOnError: an error ends every read and write until somebody asks for it.
    package static let abortsOnError = DcbFlags(rawValue: 1 << 14)

    /// fDtrControl and fRtsControl, two bits each.
    fileprivate static let dtrShift: UInt32 = 4
    fileprivate static let rtsShift: UInt32 = 12

    /// What changes or loses bytes, or stops the port.
    package static let alwaysOff: DcbFlags = [.abortsOnError, .dropsZeros, .replacesErrors, .inputNeedsDsr]

    fileprivate static let flowControl: DcbFlags = [
        .outputNeedsCts, .outputNeedsDsr, .outputObeysXoff, .inputSendsXoff, .continuesOnXoff,
    ]

    /// The bits by which a kind of flow control is known.
    fileprivate static func of(_ flowControl: FlowControl) -> DcbFlags {
        switch flowControl {
        case .none: []
        case .xonXoff: [.outputObeysXoff, .inputSendsXoff]
        case .rtsCts: .outputNeedsCts
        case .dtrDsr: .outputNeedsDsr
        }
    }

    fileprivate mutating func set(_ bits: DcbFlags, _ isOn: Bool) {
        if isOn { formUnion(bits) } else { subtract(bits) }
    }

    fileprivate mutating func set(_ control: LineControl, at shift: UInt32) {
        self = DcbFlags(rawValue: rawValue & ~(3 << shift) | control.rawValue << shift)
    }
}
