/// How a serial port is to be set: what both ends must agree on, what the lines do, and how much of this side's memory it may use.
///
/// Everything is read back after it was set: a driver that says yes and does something else is an error
/// (``SerialError/unsupportedConfiguration(_:_:)``), and so is what the platform cannot do (``SerialCapabilities``).
public struct SerialSettings: Hashable, Sendable {
    /// Bits a second. Any number is asked for; within 3 % of it is what most receivers take.
    public var baud: UInt32
    /// Bits of a character that carry data.
    public var dataBits: DataBits = .eight
    /// The bit that checks them.
    public var parity: Parity = .none
    /// The pause behind them.
    public var stopBits: StopBits = .one
    /// How a side that has no room says so.
    public var flowControl: FlowControl = .none
    /// What DTR does when the port has been opened. Both lines change in one step, as soon as the system lets them.
    public var dtr: InitialLine = .asserted
    /// What RTS does when the port has been opened; with ``FlowControl/rtsCts`` it is the driver's afterwards.
    public var rts: InitialLine = .asserted
    /// Nobody else may open the port meanwhile. Who holds it already is named by ``SerialError/busy(_:)``.
    public var isExclusive = true
    /// The driver passes on each byte as it comes, where it would rather wait for more (16 ms with an FTDI adapter). The setting as it was
    /// is put back at close.
    public var lowLatency = false
    /// The transmitter drives a shared pair and RTS is its switch; nil for RS-232.
    public var rs485: RS485?
    /// Bytes that came damaged, and breaks, are told as events with their place in the stream (``SerialEvent/damaged(_:at:)``). Linux
    /// alone.
    public var marksDamage = false
    /// Lines drop when the port is closed, as they would for a modem that is to hang up. Most boards take that for a reset. On Windows,
    /// where a port without lines refuses this, drivers may drop the lines of a port that did not ask for it, too.
    public var hangsUpOnClose = false
    /// Received bytes that wait to be read, at most; when so many do, nothing more is taken from the driver, so that flow control works.
    public var bufferBytes = 64 << 10
    /// Bytes that one read asks the driver for.
    public var readBytes = 4 << 10

    /// 8 data bits, no parity, one stop bit, no flow control, both lines asserted.
    public init(baud: UInt32 = 115_200) { self.baud = baud }
}

/// Data bits of a character.
public enum DataBits: UInt8, Hashable, Sendable, CaseIterable {
    case five = 5
    case six = 6
    case seven = 7
    case eight = 8
}

/// The check bit behind the data bits.
public enum Parity: UInt8, Hashable, Sendable, CaseIterable {
    case none
    case odd
    case even
    /// Always one.
    case mark
    /// Always zero.
    case space
}

/// How long the line rests after each character, in bits.
public enum StopBits: UInt8, Hashable, Sendable, CaseIterable {
    case one
    /// With five data bits alone, where hardware has it at all.
    case onePointFive
    case two
}

/// Who holds back the sender when the receiver has no room.
public enum FlowControl: UInt8, Hashable, Sendable, CaseIterable {
    case none
    /// The bytes XON (0x11) and XOFF (0x13) in the stream itself: not for binary data.
    case xonXoff
    case rtsCts
    /// Windows alone.
    case dtrDsr
}

/// What a line does when a port is opened.
public enum InitialLine: UInt8, Hashable, Sendable, CaseIterable {
    /// On: the voltage is positive, a microcontroller's pin reads low.
    case asserted
    /// Off. ESP32 boards run with both lines off.
    case cleared
    /// As it was left, as far as the system allows: Linux raises both lines when the first program opens a port.
    case kept
}

/// How a transmitter of RS-485 is switched.
public struct RS485: Hashable, Sendable {
    /// RTS while sending; its opposite otherwise.
    public var rtsWhileSending = true
    /// From switching the transmitter on to the first bit. Whole milliseconds.
    public var delayBeforeSend = Duration.zero
    /// From the last bit to switching it off. Whole milliseconds.
    public var delayAfterSend = Duration.zero
    /// The receiver hears what this side sends.
    public var receivesWhileSending = false

    /// RTS while sending, without delays, and the receiver off meanwhile.
    public init() {}
}

/// One of the settings, as errors name them.
public enum SerialSetting: UInt8, Hashable, Sendable, CaseIterable {
    case baud
    case dataBits
    case parity
    case stopBits
    case flowControl
    case lines
    case exclusive
    case lowLatency
    case rs485
    case hangsUpOnClose
    case marksDamage
}
