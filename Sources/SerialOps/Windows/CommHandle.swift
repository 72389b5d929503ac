#if PORTLOOP_WINDOWS
package import CLoopWin32
import LoopCore

/// An open port's handle, and the calls that are made with it. It owns nothing.
struct CommHandle: Sendable {
    let raw: Int

    init(_ handle: NativeHandle) { raw = handle.rawValue }

    // MARK: settings

    // SAFETY: the shim writes its answers before it says zero, into places of the call's own; here and below.
    func state(_ call: SerialCall = .configure) throws(SerialError) -> Dcb {
        var native = portloop_win32_comm_state()
        try check(unsafe portloop_win32_comm_state_get(raw, &native), call)
        return Dcb(native)
    }

    /// Why there is no state, of a handle that was just opened.
    // SAFETY: as above.
    func refusalOfState(_ path: SerialText) -> SerialError? {
        var native = portloop_win32_comm_state()
        let code = unsafe portloop_win32_comm_state_get(raw, &native)
        return code == 0 ? nil : Win32SerialCodes.asking(code, path)
    }

    // SAFETY: the driver reads the structure before the call returns.
    func set(_ state: Dcb, _ call: SerialCall = .configure) throws(SerialError) {
        var native = portloop_win32_comm_state(state)
        try check(unsafe portloop_win32_comm_state_set(raw, &native), call)
    }

    // SAFETY: as above.
    func set(_ timeouts: CommTimeouts) throws(SerialError) {
        var native = portloop_win32_comm_timeouts(
            read_interval: timeouts.readInterval, read_multiplier: timeouts.readMultiplier, read_constant: timeouts.readConstant,
            write_multiplier: timeouts.writeMultiplier, write_constant: timeouts.writeConstant)
        try check(unsafe portloop_win32_comm_timeouts_set(raw, &native), .configure)
    }

    /// A wish: drivers have queues of their own sizes.
    func wishQueues(_ bytes: UInt32) { _ = portloop_win32_comm_set_queues(raw, bytes, bytes) }

    // SAFETY: as above.
    var properties: portloop_win32_comm_properties? {
        var found = portloop_win32_comm_properties()
        return unsafe portloop_win32_comm_properties_get(raw, &found) == 0 ? found : nil
    }

    // SAFETY: as above.
    var isCharacterDevice: Bool {
        var type: UInt32 = 0
        return unsafe portloop_win32_file_type(raw, &type) == 0 && type == UInt32(portloop_win32_type_character)
    }

    // MARK: lines

    // SAFETY: as above.
    func inputLines() throws(SerialError) -> ModemLines {
        var found: UInt32 = 0
        try check(unsafe portloop_win32_comm_modem_status(raw, &found), .lines)
        return ModemLines(modemStatus: found)
    }

    func escape(_ function: Escape, _ call: SerialCall) throws(SerialError) {
        try check(portloop_win32_comm_escape(raw, function.rawValue), call)
    }

    /// As far as the driver does: a line that flow control has is its own.
    func dropLines() {
        for line in [Escape.clearDtr, .clearRts] { _ = portloop_win32_comm_escape(raw, line.rawValue) }
    }

    // MARK: queues

    /// What the queues hold, and the errors since the last time somebody asked: asking clears them.
    // SAFETY: as above.
    func status(_ call: SerialCall) throws(SerialError) -> (queues: SerialQueues, errors: UInt32) {
        var (errors, status) = (UInt32(0), portloop_win32_comm_status())
        try check(unsafe portloop_win32_comm_clear_error(raw, &errors, &status), call)
        return (SerialQueues(input: Int(status.in_queue), output: Int(status.out_queue)), errors)
    }

    func purge(_ what: SerialDirections) throws(SerialError) {
        var bits: UInt32 = 0
        if what.contains(.output) { bits |= CommHandle.clearOutput }
        if what.contains(.input) { bits |= CommHandle.clearInput }
        try check(portloop_win32_comm_purge(raw, bits), .discard)
    }

    /// PURGE_TXCLEAR and PURGE_RXCLEAR. Their likes with ABORT would end the standing read.
    private static let clearOutput: UInt32 = 4
    private static let clearInput: UInt32 = 8

    func check(_ code: UInt32, _ call: SerialCall) throws(SerialError) {
        if code != 0 { throw Win32SerialCodes.control(code, call) }
    }
}

/// What `EscapeCommFunction` does.
enum Escape: UInt32 {
    case setRts = 3
    case clearRts = 4
    case setDtr = 5
    case clearDtr = 6
    case setBreak = 8
    case clearBreak = 9
}

extension ModemLines {
    /// MS_CTS_ON, MS_DSR_ON, MS_RING_ON, MS_RLSD_ON.
    init(modemStatus found: UInt32) {
        self = []
        if found & 0x10 != 0 { insert(.cts) }
        if found & 0x20 != 0 { insert(.dsr) }
        if found & 0x40 != 0 { insert(.ri) }
        if found & 0x80 != 0 { insert(.cd) }
    }
}

extension Dcb {
    package init(_ native: portloop_win32_comm_state) {
        self.init()
        (length, baudRate, flags) = (native.length, native.baud_rate, DcbFlags(rawValue: native.flags))
        (reserved, xonLimit, xoffLimit) = (native.reserved, native.xon_limit, native.xoff_limit)
        (byteSize, parityCode, stopBitsCode) = (native.byte_size, native.parity, native.stop_bits)
        (xonCharacter, xoffCharacter, errorCharacter) = (native.xon_char, native.xoff_char, native.error_char)
        (endCharacter, eventCharacter, reserved1) = (native.eof_char, native.event_char, native.reserved1)
    }
}

extension portloop_win32_comm_state {
    package init(_ state: Dcb) {
        self.init(
            length: state.length, baud_rate: state.baudRate, flags: state.flags.rawValue, reserved: state.reserved,
            xon_limit: state.xonLimit, xoff_limit: state.xoffLimit, byte_size: state.byteSize, parity: state.parityCode,
            stop_bits: state.stopBitsCode, xon_char: state.xonCharacter, xoff_char: state.xoffCharacter,
            error_char: state.errorCharacter, eof_char: state.endCharacter, event_char: state.eventCharacter,
            reserved1: state.reserved1)
    }
}
#endif
