#if PORTLOOP_WINDOWS
import CLoopWin32
package import LoopCore
import Synchronization

typealias NativeSerialDevice = WindowsSerialDevice

/// A COM port of Windows: a UART, a USB adapter, a modem. Under Wine it may be any terminal of the system below.
package final class WindowsSerialDevice: SerialDevice {
    package let handle: NativeHandle
    package let capabilities: SerialCapabilities
    package let bytesOnError: BytesOnError
    /// Zero bytes are the end of the driver's patience, and not of the port (``CommTimeouts``).
    package let emptyReadMeansGone = false
    /// Windows closes off the loop: a driver may take its time.
    package let closesAtOnce = false
    /// Of Windows' own driver, with the timeouts that wait for the first bytes.
    package let firstByteComesAlone = true
    package let drainStyle = DrainStyle.blocks
    package let eventStyle: EventStyle
    package let info: SerialPortInfo?
    private let hold: HandleHold
    private let kind: Kind
    private let lines = WishedLines()
    private let hangsUp: HangUp
    /// Errors that somebody found who had asked for something else, and events that came another way than in bytes.
    private let errorsNoted = Atomic<UInt32>(0)
    private let eventsNoted = Atomic<UInt32>(0)

    /// What was found out about the port when it was opened.
    struct Kind: Sendable {
        var isOnWine: Bool
        var hasLines: Bool

        /// A pseudo terminal, which has no lines, no parity and no sizes. Only Wine has those.
        var isPseudo: Bool { isOnWine && !hasLines }

        var memory: DcbMemory { isPseudo ? .winesPseudoTerminal : isOnWine ? .wine : .windows }
    }

    private init(_ comm: CommHandle, _ kind: Kind, _ info: SerialPortInfo?) {
        self.info = info
        handle = NativeHandle(rawValue: comm.raw)
        self.kind = kind
        capabilities = SerialCapabilities(comm.properties, kind)
        // Wine hands over what a cancelled read has brought. Windows copies nothing of a request that failed.
        bytesOnError = kind.isOnWine ? .delivered : .withheld
        eventStyle = kind.hasLines ? .waits : .none
        let hangsUp = HangUp()
        self.hangsUp = hangsUp
        hold = HandleHold {
            if hangsUp.isWished { comm.dropLines() }
            _ = portloop_win32_close_handle(comm.raw)
        }
    }

    deinit { hold.end() }

    // MARK: opening

    /// Any driver may hold up an opening.
    static func opensAtOnce(_ path: SerialText) -> Bool { false }

    /// Opens a port, for this process alone because Windows has no other way, and sets it and its output lines in one step.
    package static func open(_ path: SerialText, _ settings: SerialSettings) throws(SerialError) -> WindowsSerialDevice {
        try checkPossible(settings)
        // Asked before the port is open: what is asked between that and the lines, a board sees them in a wrong state for.
        let info = WindowsSerialPortSource().port(at: path)
        let comm = try WindowsSystem.open(path)
        let hasLines = (try? comm.inputLines()) != nil
        // The handle is the device's from here on: whatever is thrown, it is closed.
        let device = WindowsSerialDevice(comm, Kind(isOnWine: WindowsSystem.isWine, hasLines: hasLines), info)
        guard comm.isCharacterDevice else { throw .notASerialPort(path) }
        if let refusal = comm.refusalOfState(path) { throw refusal }
        comm.wishQueues(UInt32(clamping: max(4_096, settings.readBytes) * 4))
        device.lines.wish(dtr: settings.dtr.isOn, rts: settings.rts.isOn)
        try device.configure(settings)
        if hasLines { try device.raiseAndDrop(dtr: settings.dtr.isOn, rts: settings.rts.isOn, settings.flowControl) }
        return device
    }

    private static func checkPossible(_ settings: SerialSettings) throws(SerialError) {
        if let setting = Dcb.impossible(in: settings) { throw .unsupportedConfiguration(setting, got: nil) }
    }

    // MARK: control

    private func use<R>(_ body: (CommHandle) throws(SerialError) -> R) throws(SerialError) -> R {
        let comm = CommHandle(handle)
        guard let result = try hold.use({ () throws(SerialError) in try body(comm) }) else { throw .closed }
        return result
    }

    /// Reads the state, changes and writes it, and reads it back: a driver that keeps the old speed says yes all the same. A state that is
    /// right already is left alone, because some drivers fail when it is written.
    package func configure(_ settings: SerialSettings) throws(SerialError) {
        try WindowsSerialDevice.checkPossible(settings)
        guard kind.hasLines || !settings.hangsUpOnClose else { throw .unsupportedConfiguration(.hangsUpOnClose, got: nil) }
        try use { comm throws(SerialError) in
            // Those that the port's last user left would make every read end after a while, or at once.
            try comm.set(.untilFirstBytes(onWine: kind.isOnWine))
            let before = try comm.state()
            var wished = before
            wished.set(settings)
            wished.setLines(dtr: lines.dtr, rts: lines.rts)
            if wished != before { try comm.set(wished) }
            if let (setting, got) = try comm.state().difference(from: settings, as: kind.memory) {
                throw .unsupportedConfiguration(setting, got: got)
            }
            // An event that is waited for is waited for by `waitForEvent`; the mask is what it waits for.
            if eventStyle == .waits { try comm.check(portloop_win32_comm_mask_set(comm.raw, Win32SerialEvents.mask), .events) }
        }
        hangsUp.wish(settings.hangsUpOnClose)
    }

    /// Both lines go to the driver as one state, where both are named: in two steps, a board would see what lies between. The calls for
    /// each line follow in any case. They change nothing where the state did, and are what counts where a driver compares the state with
    /// the last one and not with the lines.
    package func setLines(dtr: Bool?, rts: Bool?) throws(SerialError) {
        guard kind.hasLines else { throw .unsupportedConfiguration(.lines, got: nil) }
        lines.wish(dtr: dtr, rts: rts)
        if dtr != nil, rts != nil {
            try use { comm throws(SerialError) in
                var state = try comm.state(.lines)
                state.setLines(dtr: dtr, rts: rts)
                try comm.set(state, .lines)
            }
        }
        try raiseAndDrop(dtr: dtr, rts: rts, .none)
    }

    /// One call for each line that is named and that flow control does not have.
    private func raiseAndDrop(dtr: Bool?, rts: Bool?, _ flowControl: FlowControl) throws(SerialError) {
        try use { comm throws(SerialError) in
            if let dtr, flowControl != .dtrDsr { try comm.escape(dtr ? .setDtr : .clearDtr, .lines) }
            if let rts, flowControl != .rtsCts { try comm.escape(rts ? .setRts : .clearRts, .lines) }
        }
    }

    package func inputLines() throws(SerialError) -> ModemLines {
        guard kind.hasLines else { throw .unsupportedConfiguration(.lines, got: nil) }
        return try use { comm throws(SerialError) in try comm.inputLines() }
    }

    package func setBreak(_ isOn: Bool) throws(SerialError) {
        try use { comm throws(SerialError) in try comm.escape(isOn ? .setBreak : .clearBreak, .sendBreak) }
    }

    package func queues() throws(SerialError) -> SerialQueues {
        try use { comm throws(SerialError) in
            let (queues, errors) = try comm.status(.queues)
            errorsNoted.bitwiseOr(errors, ordering: .relaxed)
            return queues
        }
    }

    package func discard(_ what: SerialDirections) throws(SerialError) {
        guard !what.isEmpty else { return }
        try use { comm throws(SerialError) in try comm.purge(what) }
    }

    package func sending() throws(SerialError) -> SendingState { trap("A port that waits until all is sent was asked how far it is.") }

    package func flush() throws(SerialError) {
        try use { comm throws(SerialError) in try comm.check(portloop_win32_file_flush(comm.raw), .drain) }
    }

    package func counters() throws(SerialError) -> LineCounters { trap("A port that tells of events was asked to count them.") }

    /// The loop takes STATUS_PIPE_BROKEN and STATUS_END_OF_FILE for the end of a stream, and keeps them as the status. Wine says the first
    /// of a terminal that was hung up.
    package func emptyReadMeansGone(_ status: RawStatus) -> Bool { status.rawValue >> 30 == 3 }

    // MARK: events

    /// The mask is the kernel's until the packet: it lies in the operation's buffer. Under Wine no packet comes: the wait is a thread's.
    // SAFETY: the kernel is given the control block and the buffer that the seam lends for this call (C2), and writes four bytes.
    package func waitForEvent(_ op: consuming PreparedOp) -> Decision {
        guard !kind.isOnWine else {
            return op.remote(whenCancelled: .ends) { [self] remote in
                waitOnThread(remote, for: Win32SerialEvents.mask) { [self] in eventsNoted.bitwiseOr($0, ordering: .releasing) }
            }
        }
        guard op.capacity >= MemoryLayout<UInt32>.size else { trap("An event has four bytes, and its buffer \(op.capacity).") }
        return unsafe op.submit { [handle] block, buffer in
            let mask = unsafe buffer.baseAddress?.assumingMemoryBound(to: UInt32.self)
            let overlapped = unsafe block.assumingMemoryBound(to: portloop_win32_overlapped.self)
            return unsafe Int32(bitPattern: portloop_win32_comm_wait(handle.rawValue, mask, overlapped))
        }
    }

    /// Waits for events of a mask as Wine has them, and completes an operation.
    package func waitOnThread(_ remote: RemoteCompletion, for mask: UInt32, _ found: @escaping @Sendable (UInt32) -> Void) {
        let wait = WineEventWait(handle, mask, hold, remote, found)
        let code = wait.start()
        if code != 0 { remote.complete(error: SystemCode(rawValue: Int32(bitPattern: code))) }
    }

    /// What happened, and how things are now. The driver has told of it just now, and answers both questions from its own memory.
    // SAFETY: as many bytes are read as are there.
    package func events(in bytes: RawSpan) -> [SerialEvent] {
        var found = eventsNoted.exchange(0, ordering: .acquiring)
        if bytes.byteCount >= MemoryLayout<UInt32>.size { found |= unsafe bytes.unsafeLoadUnaligned(as: UInt32.self) }
        guard found != 0 else { return [] }
        var errors = errorsNoted.exchange(0, ordering: .relaxed)
        var now: ModemLines = []
        _ = try? use { comm throws(SerialError) in
            errors |= try comm.status(.events).errors
            if Win32SerialEvents.isOfLines(found) { now = try comm.inputLines() }
        }
        return Win32SerialEvents.events(found, errors: errors, lines: now)
    }

    // MARK: ending

    /// A mask of nothing ends a wait for events, and what has not been sent is discarded, because a flush would wait for it. Both only tell
    /// the driver.
    package func beginClose() {
        _ = hold.use {
            _ = portloop_win32_comm_mask_set(handle.rawValue, 0)
            let comm = CommHandle(handle)
            // What has left the queue is the other side's: under Wine, a purge of a pseudo terminal would take it back unread.
            if let (queues, _) = try? comm.status(.queues), queues.output == 0 { return }
            try? comm.purge(.output)
        }
    }

    package func close() { hold.end() }

    package func isGone(_ code: SystemCode) -> Bool { Win32SerialCodes.isGone(UInt32(bitPattern: code.rawValue)) }
}

/// What somebody wanted the output lines to be last: a driver's state says only what it was told by a state, and would take a line back to
/// that when the next is written. Any thread's.
private final class WishedLines: Sendable {
    /// Two bits for each line: whether it was wished for, and what.
    private let bits = Atomic<UInt8>(0)

    func wish(dtr: Bool?, rts: Bool?) {
        wish(dtr, at: 0)
        wish(rts, at: 2)
    }

    var dtr: Bool? { wished(at: 0) }
    var rts: Bool? { wished(at: 2) }

    private func wish(_ line: Bool?, at place: UInt8) {
        guard let line else { return }
        if line { bits.bitwiseOr(3 << place, ordering: .relaxed) } else { bits.bitwiseAnd(~(2 << place), ordering: .relaxed) }
        bits.bitwiseOr(1 << place, ordering: .relaxed)
    }

    private func wished(at place: UInt8) -> Bool? {
        let found = bits.load(ordering: .relaxed) >> place
        return found & 1 == 0 ? nil : found & 2 != 0
    }
}

/// Whether the lines are to drop when the port is closed: Windows has no setting for it. Any thread's.
private final class HangUp: Sendable {
    private let state = Atomic<Bool>(false)

    var isWished: Bool { state.load(ordering: .relaxed) }

    func wish(_ isWished: Bool) { state.store(isWished, ordering: .relaxed) }
}

extension InitialLine {
    /// True to raise, false to drop, nil to leave alone.
    fileprivate var isOn: Bool? {
        switch self {
        case .asserted: true
        case .cleared: false
        case .kept: nil
        }
    }
}

extension SerialCapabilities {
    /// What a driver says of itself; a driver that says nothing is to be tried.
    fileprivate init(_ said: portloop_win32_comm_properties?, _ kind: WindowsSerialDevice.Kind) {
        self.init()
        if let said {
            let (provider, stops) = (said.provider_capabilities, UInt32(said.settable_stop_parity))
            customBaud = kind.isOnWine ? .unknown : Self.says(said.settable_baud, Provider.anyBaud)
            dtrDsr = kind.isOnWine ? .unsupported : Self.says(provider, Provider.dtrDsr)
            rtsCts = Self.says(provider, Provider.rtsCts)
            xonXoff = Self.says(provider, Provider.xonXoff)
            markAndSpaceParity = Self.says(stops, Provider.markAndSpace)
            onePointFiveStopBits = Self.says(stops, Provider.onePointFiveStopBits)
        }
        if kind.isPseudo { (markAndSpaceParity, onePointFiveStopBits) = (.unsupported, .unsupported) }
        modemLines = kind.hasLines ? .supported : .unsupported
        lineEvents = modemLines
        breaks = kind.isPseudo ? .unsupported : .unknown
        exclusive = .supported
        lowLatency = .unsupported
        rs485 = .unsupported
    }

    private static func says(_ bits: UInt32, _ wanted: UInt32) -> Capability { bits & wanted == wanted ? .supported : .unsupported }
}

/// Bits of `COMMPROP`; winbase.h has the numbers.
private enum Provider {
    /// PCF_DTRDSR, PCF_RTSCTS, PCF_XONXOFF.
    static let dtrDsr: UInt32 = 0x1
    static let rtsCts: UInt32 = 0x2
    static let xonXoff: UInt32 = 0x10
    /// BAUD_USER.
    static let anyBaud: UInt32 = 0x1000_0000
    /// PARITY_MARK and PARITY_SPACE.
    static let markAndSpace: UInt32 = 0x1800
    /// STOPBITS_15.
    static let onePointFiveStopBits: UInt32 = 0x2
}
#endif
