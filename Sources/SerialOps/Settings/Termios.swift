/// The settings of a Linux terminal as numbers of the kernel's: what `struct termios2` holds of them.
///
/// A value, so that the translation is tried out on every platform and for all settings.
package struct Termios: Hashable, Sendable {
    package var inputFlags: UInt32 = 0
    package var outputFlags: UInt32 = 0
    package var controlFlags: UInt32 = 0
    package var localFlags: UInt32 = 0
    package var inputSpeed: UInt32 = 0
    package var outputSpeed: UInt32 = 0
    /// So many bytes a read waits for, and so many tenths of a second: VMIN and VTIME.
    package var readMin: UInt8 = 0
    package var readTime: UInt8 = 0

    package init() {}

    // <asm-generic/termbits.h>
    private static let parityCheckInput: UInt32 = 0x10
    private static let markErrors: UInt32 = 0x08
    private static let xonOutput: UInt32 = 0x400
    private static let xonInput: UInt32 = 0x1000
    private static let sizeMask: UInt32 = 0x30
    private static let twoStopBits: UInt32 = 0x40
    private static let receiver: UInt32 = 0x80
    private static let parityBit: UInt32 = 0x100
    private static let oddParity: UInt32 = 0x200
    private static let hangUpOnClose: UInt32 = 0x400
    private static let ignoreModem: UInt32 = 0x800
    private static let speedMask: UInt32 = 0x100F
    private static let otherSpeed: UInt32 = 0x1000
    private static let inputSpeedShift: UInt32 = 16
    private static let stickyParity: UInt32 = 0x4000_0000
    private static let rtsCts: UInt32 = 0x8000_0000

    /// These settings on a raw line: bytes as they are, and reads that end with the first byte.
    ///
    /// Bits of the driver's own survive.
    package mutating func set(_ settings: SerialSettings) {
        inputFlags = settings.flowControl == .xonXoff ? Self.xonOutput | Self.xonInput : 0
        if settings.marksDamage { inputFlags |= Self.markErrors | Self.parityCheckInput }
        outputFlags = 0
        localFlags = 0
        controlFlags &= ~(Self.sizeMask | Self.twoStopBits | Self.parityBit | Self.oddParity | Self.stickyParity | Self.rtsCts)
        controlFlags &= ~(Self.hangUpOnClose | Self.speedMask | Self.speedMask << Self.inputSpeedShift)
        controlFlags |= Self.receiver | Self.ignoreModem | Self.otherSpeed | Self.otherSpeed << Self.inputSpeedShift
        controlFlags |= UInt32(settings.dataBits.rawValue - 5) << 4
        if settings.stopBits != .one { controlFlags |= Self.twoStopBits }
        if settings.flowControl == .rtsCts { controlFlags |= Self.rtsCts }
        if settings.hangsUpOnClose { controlFlags |= Self.hangUpOnClose }
        controlFlags |= Self.bits(of: settings.parity)
        (inputSpeed, outputSpeed) = (settings.baud, settings.baud)
        (readMin, readTime) = (1, 0)
    }

    private static func bits(of parity: Parity) -> UInt32 {
        switch parity {
        case .none: 0
        case .odd: parityBit | oddParity
        case .even: parityBit
        case .mark: parityBit | oddParity | stickyParity
        case .space: parityBit | stickyParity
        }
    }

    package var dataBits: DataBits {
        switch (controlFlags & Self.sizeMask) >> 4 {
        case 0: .five
        case 1: .six
        case 2: .seven
        default: .eight
        }
    }

    package var parity: Parity {
        guard controlFlags & Self.parityBit != 0 else { return .none }
        let isOdd = controlFlags & Self.oddParity != 0
        if controlFlags & Self.stickyParity != 0 { return isOdd ? .mark : .space }
        return isOdd ? .odd : .even
    }

    package var stopBits: StopBits {
        guard controlFlags & Self.twoStopBits != 0 else { return .one }
        return dataBits == .five ? .onePointFive : .two
    }

    package var flowControl: FlowControl {
        if controlFlags & Self.rtsCts != 0 { return .rtsCts }
        return inputFlags & (Self.xonOutput | Self.xonInput) != 0 ? .xonXoff : .none
    }

    package var hangsUpOnClose: Bool { controlFlags & Self.hangUpOnClose != 0 }

    /// The first setting that is not as it was asked for, with what it is instead; nil where everything is. A pseudo terminal has neither
    /// parity nor sizes.
    package func difference(from settings: SerialSettings, isPseudo: Bool) -> (SerialSetting, got: UInt32)? {
        if !settings.accepts(baud: outputSpeed) { return (.baud, outputSpeed) }
        if flowControl != settings.flowControl { return (.flowControl, UInt32(flowControl.rawValue)) }
        if settings.marksDamage, inputFlags & Self.markErrors == 0 { return (.marksDamage, 0) }
        if isPseudo { return nil }
        if dataBits != settings.dataBits { return (.dataBits, UInt32(dataBits.rawValue)) }
        if parity != settings.parity { return (.parity, UInt32(parity.rawValue)) }
        if stopBits != settings.stopBits { return (.stopBits, UInt32(stopBits.rawValue)) }
        if hangsUpOnClose != settings.hangsUpOnClose { return (.hangsUpOnClose, hangsUpOnClose ? 1 : 0) }
        return nil
    }
}
