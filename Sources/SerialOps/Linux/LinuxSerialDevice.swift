#if PORTLOOP_LINUX
internal import CSerialOps
internal import Glibc
internal import LoopCore

typealias NativeSerialDevice = LinuxSerialDevice

/// A terminal of Linux: a UART, a USB adapter, a modem, or one end of a pseudo terminal.
final class LinuxSerialDevice: SerialDevice {
    let handle: NativeHandle
    let capabilities: SerialCapabilities
    let info: SerialPortInfo?
    let bytesOnError = BytesOnError.withheld
    /// VMIN is one, so a read that brings nothing is a hang-up.
    let emptyReadMeansGone = true
    var closesAtOnce: Bool { kind.line == .pseudo }
    let drainStyle = DrainStyle.asks
    let eventStyle: EventStyle
    let countedAtOpening: (LineCounters, ModemLines)?
    private let hold: HandleHold
    private let kind: Kind

    /// What the driver answered when it was asked about itself.
    struct Kind: Sendable {
        var line: LineKind
        var hasLines: Bool
        /// The driver's own flags as they were, to be put back at close; nil where they were left alone.
        var infoBefore: Int32?
    }

    private init(_ fd: Int32, _ kind: Kind, _ info: SerialPortInfo?) {
        self.info = info
        handle = NativeHandle(rawValue: Int(fd))
        self.kind = kind
        let descriptor = Descriptor(fd: fd)
        // A pseudo terminal's driver counts nothing, and is not asked.
        let counters = kind.line == .pseudo ? nil : descriptor.counters()
        countedAtOpening = counters.map { ($0, descriptor.lines().map { ModemLines($0) } ?? []) }
        eventStyle = countedAtOpening == nil ? .none : .counts
        capabilities = LinuxSerialDevice.capabilities(kind, countedAtOpening == nil ? .unsupported : .supported)
        hold = HandleHold {
            if let flags = kind.infoBefore { _ = Descriptor(fd: fd).setInfoFlags(flags) }
            // Kept by the driver of a pseudo terminal for whoever opens it next.
            _ = portloop_serial_set_exclusive(fd, 0)
            // Held on by every copy of the descriptor, as a child has one between its fork and its exec.
            _ = portloop_serial_unlock(fd)
            _ = portloop_serial_close(fd)
        }
    }

    deinit { hold.end() }

    private static func capabilities(_ kind: Kind, _ events: Capability) -> SerialCapabilities {
        var found = SerialCapabilities()
        let ofHardware: Capability = kind.line != .hardware ? .unsupported : .supported
        found.customBaud = .supported
        found.markAndSpaceParity = ofHardware
        found.onePointFiveStopBits = ofHardware
        found.xonXoff = .supported
        found.rtsCts = ofHardware
        found.dtrDsr = .unsupported
        found.modemLines = kind.hasLines ? .supported : .unsupported
        found.lineEvents = events
        found.breaks = ofHardware
        found.exclusive = .supported
        found.lowLatency = kind.line != .hardware ? .unsupported : .unknown
        found.rs485 = kind.line != .hardware ? .unsupported : .unknown
        found.exactDrain = kind.line != .hardware ? .unsupported : .unknown
        return found
    }

    // MARK: opening

    /// Whether no driver can hold up the opening of a port: a pseudo terminal has none.
    static func opensAtOnce(_ path: SerialText) -> Bool { path.bytes.starts(with: LinuxSystem.pseudoTerminals) }

    /// Opens a port, takes it for this process, sets its lines, then everything else. The lines come first: the driver raises both when it
    /// is opened, and a board that takes that for a reset is to see it for as short as can be.
    static func open(_ path: SerialText, _ settings: SerialSettings) throws(SerialError) -> LinuxSerialDevice {
        try checkPossible(settings)
        let fd = try openDescriptor(path)
        do throws(SerialError) {
            return try set(Descriptor(fd: fd), path, settings)
        } catch {
            _ = portloop_serial_close(fd)
            throw error
        }
    }

    private static func checkPossible(_ settings: SerialSettings) throws(SerialError) {
        guard settings.baud > 0 else { throw .unsupportedConfiguration(.baud, got: nil) }
        guard settings.flowControl != .dtrDsr else { throw .unsupportedConfiguration(.flowControl, got: nil) }
        let isPlain = settings.stopBits != .onePointFive || settings.dataBits == .five
        guard isPlain else { throw .unsupportedConfiguration(.stopBits, got: nil) }
    }

    private static func openDescriptor(_ path: SerialText) throws(SerialError) -> Int32 {
        let name = path.nulTerminated
        // SAFETY: the name ends with a NUL.
        let fd = unsafe portloop_serial_open(name)
        guard fd < 0 else { return fd }
        // What is no device at all refuses in ways of its own, which say less than that.
        if unsafe portloop_serial_is_character_device(name) == 0 { throw .notASerialPort(path) }
        switch -fd {
        case ENOENT, ENODEV, ENXIO, ENOTDIR: throw .notFound(path)
        case EACCES, EPERM: throw .permissionDenied(path, group: LinuxSystem.group(of: path))
        case EBUSY: throw .busy(LinuxSystem.holder(of: path))
        default: throw .system(.open, SystemCode(rawValue: -fd))
        }
    }

    private static func set(
        _ descriptor: Descriptor, _ path: SerialText, _ settings: SerialSettings
    ) throws(SerialError) -> LinuxSerialDevice {
        guard let found = descriptor.termios() else { throw .notASerialPort(path) }
        if settings.isExclusive { try descriptor.makeExclusive(path) }
        let isPseudo = descriptor.isPseudo
        var kind = Kind(
            line: isPseudo ? .pseudo : .hardware, hasLines: !isPseudo && descriptor.lines() != nil, infoBefore: nil)
        if !kind.hasLines, kind.line == .hardware, LinuxSystem.isVirtual(path) { kind.line = .gadget }
        if kind.hasLines {
            try descriptor.set(dtr: settings.dtr.wish, rts: settings.flowControl == .rtsCts ? nil : settings.rts.wish)
        }
        try descriptor.configure(settings, kind.line, from: found)
        if settings.lowLatency { kind.infoBefore = try descriptor.makeLowLatency() }
        if let rs485 = settings.rs485 { try descriptor.configure(rs485) }
        let info = kind.line == .pseudo ? nil : LinuxSerialPortSource().port(at: path)
        return LinuxSerialDevice(descriptor.fd, kind, info)
    }

    // MARK: control

    private func use<R>(_ body: (Descriptor) throws(SerialError) -> R) throws(SerialError) -> R {
        let descriptor = Descriptor(fd: Int32(handle.rawValue))
        guard let result = try hold.use({ () throws(SerialError) in try body(descriptor) }) else { throw .closed }
        return result
    }

    func configure(_ settings: SerialSettings) throws(SerialError) {
        try LinuxSerialDevice.checkPossible(settings)
        try use { descriptor throws(SerialError) in
            guard let found = descriptor.termios() else { throw .disconnected }
            try descriptor.configure(settings, kind.line, from: found)
        }
    }

    func setLines(dtr: Bool?, rts: Bool?) throws(SerialError) {
        guard kind.hasLines else { throw .unsupportedConfiguration(.lines, got: nil) }
        try use { descriptor throws(SerialError) in try descriptor.set(dtr: dtr, rts: rts) }
    }

    func inputLines() throws(SerialError) -> ModemLines {
        try use { descriptor throws(SerialError) in
            guard let lines = descriptor.lines() else {
                throw self.kind.hasLines ? .disconnected : .unsupportedConfiguration(.lines, got: nil)
            }
            return ModemLines(lines)
        }
    }

    func setBreak(_ isOn: Bool) throws(SerialError) {
        try use { descriptor throws(SerialError) in try check(portloop_serial_break(descriptor.fd, isOn ? 1 : 0), .sendBreak) }
    }

    func queues() throws(SerialError) -> SerialQueues {
        try use { descriptor throws(SerialError) in
            var input: Int32 = 0
            // SAFETY: the number is this call's.
            try check(unsafe portloop_serial_queued_input(descriptor.fd, &input), .queues)
            let output = descriptor.queuedOutput
            try check(output, .queues)
            return SerialQueues(input: Int(input), output: Int(output))
        }
    }

    func discard(_ what: SerialDirections) throws(SerialError) {
        guard !what.isEmpty else { return }
        let queue: Int32 = what == .input ? 0 : what == .output ? 1 : 2
        try use { descriptor throws(SerialError) in try check(portloop_serial_flush(descriptor.fd, queue), .discard) }
    }

    func sending() throws(SerialError) -> SendingState {
        try use { descriptor throws(SerialError) in
            let waiting = descriptor.queuedOutput
            try check(waiting, .drain)
            return SendingState(waiting: Int(waiting), isIdle: descriptor.isTransmitterIdle)
        }
    }

    func flush() throws(SerialError) { trap("A port that is asked how far it has come was told to block.") }

    func counters() throws(SerialError) -> LineCounters {
        try use { descriptor throws(SerialError) in
            guard let counters = descriptor.counters() else { throw .disconnected }
            return counters
        }
    }

    func waitForEvent(_ op: consuming PreparedOp) -> Decision { op.abandon(SystemCode(rawValue: ENOTSUP)) }

    func events(in bytes: RawSpan) -> [SerialEvent] { [] }

    // MARK: ending

    /// A close waits until everything has been sent, for 30 seconds where flow control holds it back: so what waits is discarded. Nothing
    /// waits in a pseudo terminal: what was written has reached the other side, and a flush would take it back unread.
    func writeNow(_ bytes: RawSpan) -> Int { Descriptor(fd: Int32(handle.rawValue)).writeNow(bytes) }

    func beginClose() {
        guard kind.line != .pseudo else { return }
        _ = hold.use {
            let fd = Int32(handle.rawValue)
            // Also where the driver does not say.
            if Descriptor(fd: fd).queuedOutput != 0 { _ = portloop_serial_flush(fd, 1) }
        }
    }

    func close() { hold.end() }

    func isGone(_ code: SystemCode) -> Bool { [EIO, ENXIO, ENODEV, EPIPE, ESHUTDOWN].contains(code.rawValue) }
}

/// Throws what a negated error number says.
func check(_ answer: Int32, _ call: SerialCall) throws(SerialError) {
    guard answer < 0 else { return }
    switch -answer {
    case EIO, ENXIO, ENODEV: throw .disconnected
    default: throw .system(call, SystemCode(rawValue: -answer))
    }
}

extension InitialLine {
    /// True to raise, false to drop, nil to leave alone.
    var wish: Bool? {
        switch self {
        case .asserted: true
        case .cleared: false
        case .kept: nil
        }
    }
}
#endif
