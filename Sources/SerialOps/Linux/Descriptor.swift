#if PORTLOOP_LINUX
internal import CSerialOps
internal import Glibc
internal import LoopCore

/// An open terminal's number, and the calls that are made with it. It owns nothing.
struct Descriptor: Sendable {
    let fd: Int32

    /// Whether it is the slave of a pseudo terminal, by the numbers that the kernel keeps for those.
    var isPseudo: Bool { (136...143).contains(portloop_serial_major(fd)) }

    /// How many of the bytes the driver takes at once.
    // SAFETY: the bytes are the span's, for the time of the call.
    func writeNow(_ bytes: RawSpan) -> Int {
        max(0, Int(unsafe bytes.withUnsafeBytes { unsafe portloop_serial_write(fd, $0.baseAddress, $0.count) }))
    }

    // MARK: settings

    // SAFETY: the structure is the kernel's own in size and layout; the shim asserts it.
    func termios() -> portloop_termios? {
        var found = portloop_termios()
        return unsafe portloop_termios_get(fd, &found) < 0 ? nil : found
    }

    /// Sets what differs from the settings that were found, and reads back: a driver that keeps the old speed says yes all the same.
    // SAFETY: as above.
    func configure(_ settings: SerialSettings, _ line: LineKind, from found: portloop_termios) throws(SerialError) {
        if line == .gadget, settings.flowControl == .rtsCts { throw .unsupportedConfiguration(.flowControl, got: nil) }
        var (native, wished) = (found, Termios(found))
        wished.set(settings)
        wished.write(to: &native)
        let answer = unsafe portloop_termios_set(fd, &native)
        guard answer >= 0 else {
            throw -answer == EINVAL ? .unsupportedConfiguration(.baud, got: nil) : SerialError(code: -answer, .configure)
        }
        guard let set = termios() else { throw .disconnected }
        if line == .gadget { return }
        if let (setting, got) = Termios(set).difference(from: settings, isPseudo: line == .pseudo) {
            throw .unsupportedConfiguration(setting, got: got)
        }
    }

    /// Takes the port for this process, against those who ask the terminal and those who ask the file.
    func makeExclusive(_ path: SerialText) throws(SerialError) {
        let lock = portloop_serial_lock(fd)
        if -lock == EAGAIN || -lock == EACCES { throw .busy(LinuxSystem.holder(of: path)) }
        guard lock >= 0 else { throw SerialError(code: -lock, .open) }
        let answer = portloop_serial_set_exclusive(fd, 1)
        guard answer >= 0 else { throw -answer == EBUSY ? .busy(LinuxSystem.holder(of: path)) : SerialError(code: -answer, .open) }
    }

    /// Makes the driver pass bytes on at once; the flags as they were.
    // SAFETY: as for `termios`.
    func makeLowLatency() throws(SerialError) -> Int32 {
        var info = portloop_serial_info()
        guard unsafe portloop_serial_info_get(fd, &info) >= 0 else { throw .unsupportedConfiguration(.lowLatency, got: nil) }
        let before = info.flags
        guard setInfoFlags(before | Descriptor.lowLatency) else { throw .unsupportedConfiguration(.lowLatency, got: nil) }
        guard unsafe portloop_serial_info_get(fd, &info) >= 0, info.flags & Descriptor.lowLatency != 0 else {
            throw .unsupportedConfiguration(.lowLatency, got: 0)
        }
        return before
    }

    private static let lowLatency: Int32 = 0x2000

    // SAFETY: as for `termios`.
    func setInfoFlags(_ flags: Int32) -> Bool {
        var info = portloop_serial_info()
        guard unsafe portloop_serial_info_get(fd, &info) >= 0 else { return false }
        info.flags = flags
        return unsafe portloop_serial_info_set(fd, &info) >= 0
    }

    // SAFETY: as for `termios`.
    func configure(_ rs485: RS485) throws(SerialError) {
        var native = portloop_serial_rs485()
        native.flags = 1 | (rs485.rtsWhileSending ? 2 : 4) | (rs485.receivesWhileSending ? 0x10 : 0)
        native.delay_before_send = rs485.delayBeforeSend.milliseconds
        native.delay_after_send = rs485.delayAfterSend.milliseconds
        var found = native
        guard unsafe portloop_serial_rs485_set(fd, &found) >= 0, unsafe portloop_serial_rs485_get(fd, &found) >= 0 else {
            throw .unsupportedConfiguration(.rs485, got: nil)
        }
        let isSame =
            found.flags == native.flags && found.delay_before_send == native.delay_before_send
            && found.delay_after_send == native.delay_after_send
        guard isSame else { throw .unsupportedConfiguration(.rs485, got: found.flags) }
    }

    // MARK: lines

    // SAFETY: the number is this call's.
    func lines() -> Int32? {
        var lines: Int32 = 0
        return unsafe portloop_serial_lines_get(fd, &lines) < 0 ? nil : lines
    }

    /// Both lines in one call: in two, a board would see the state between, which for some is a reset.
    func set(dtr: Bool?, rts: Bool?) throws(SerialError) {
        let wishes: [(Int32, Bool?)] = [(TerminalLine.dtr, dtr), (TerminalLine.rts, rts)]
        let raised = wishes.reduce(0) { $1.1 == true ? $0 | $1.0 : $0 }
        let dropped = wishes.reduce(0) { $1.1 == false ? $0 | $1.0 : $0 }
        switch (raised, dropped) {
        case (0, 0): break
        case (_, 0): try check(portloop_serial_lines_raise(fd, raised), .lines)
        case (0, _): try check(portloop_serial_lines_drop(fd, dropped), .lines)
        default:
            guard let now = lines() else { throw .disconnected }
            try check(portloop_serial_lines_set(fd, now & ~dropped | raised), .lines)
        }
    }

    // SAFETY: as for `termios`.
    func counters() -> LineCounters? {
        var native = portloop_serial_counters()
        guard unsafe portloop_serial_counters_get(fd, &native) >= 0 else { return nil }
        var found = LineCounters()
        found.cts = UInt32(bitPattern: native.cts)
        found.dsr = UInt32(bitPattern: native.dsr)
        found.ri = UInt32(bitPattern: native.rng)
        found.cd = UInt32(bitPattern: native.dcd)
        found.breaks = UInt32(bitPattern: native.breaks)
        found.parityErrors = UInt32(bitPattern: native.parity)
        found.framingErrors = UInt32(bitPattern: native.framing)
        found.overruns = UInt32(bitPattern: native.overrun)
        found.bufferOverruns = UInt32(bitPattern: native.buffer_overrun)
        return found
    }

    /// How many bytes wait in the driver to be sent, or the negated error number.
    // SAFETY: the number is this call's.
    var queuedOutput: Int32 {
        var count: Int32 = 0
        let answer = unsafe portloop_serial_queued_output(fd, &count)
        return answer < 0 ? answer : count
    }

    /// Whether the last bit has left; nil where the driver does not say.
    // SAFETY: the number is this call's.
    var isTransmitterIdle: Bool? {
        var status: Int32 = 0
        return unsafe portloop_serial_line_status(fd, &status) < 0 ? nil : status & 1 != 0
    }
}

/// What is behind a terminal, as far as its settings mean anything.
enum LineKind: Sendable {
    case hardware
    /// A pseudo terminal: speeds are kept and mean nothing, parity and sizes are dropped.
    case pseudo
    /// This machine's end of a USB cable whose other end sees a modem. The driver has nothing to set, so the kernel keeps what was there.
    case gadget
}

/// Lines as TIOCMGET numbers them.
enum TerminalLine {
    static let dtr: Int32 = 0x002
    static let rts: Int32 = 0x004
    static let cts: Int32 = 0x020
    static let cd: Int32 = 0x040
    static let ri: Int32 = 0x080
    static let dsr: Int32 = 0x100
}

extension ModemLines {
    init(_ lines: Int32) {
        self = []
        if lines & TerminalLine.cts != 0 { insert(.cts) }
        if lines & TerminalLine.dsr != 0 { insert(.dsr) }
        if lines & TerminalLine.ri != 0 { insert(.ri) }
        if lines & TerminalLine.cd != 0 { insert(.cd) }
    }
}

extension Termios {
    init(_ native: portloop_termios) {
        self.init()
        (inputFlags, outputFlags) = (native.input_flags, native.output_flags)
        (controlFlags, localFlags) = (native.control_flags, native.local_flags)
        (inputSpeed, outputSpeed) = (native.input_speed, native.output_speed)
        (readTime, readMin) = (native.control_characters.5, native.control_characters.6)
    }

    func write(to native: inout portloop_termios) {
        (native.input_flags, native.output_flags) = (inputFlags, outputFlags)
        (native.control_flags, native.local_flags) = (controlFlags, localFlags)
        (native.input_speed, native.output_speed) = (inputSpeed, outputSpeed)
        (native.control_characters.5, native.control_characters.6) = (readTime, readMin)
    }
}

extension SerialError {
    init(code: Int32, _ call: SerialCall) {
        self = [EIO, ENXIO, ENODEV].contains(code) ? .disconnected : .system(call, SystemCode(rawValue: code))
    }
}

extension Duration {
    fileprivate var milliseconds: UInt32 {
        let (seconds, attoseconds) = components
        return UInt32(clamping: seconds * 1_000 + attoseconds / 1_000_000_000_000_000)
    }
}
#endif
