#if PORTLOOP_LINUX
internal import CSerialOps
internal import Glibc
public import LoopCore

/// The master of a pseudo terminal as a port: the device's end of a virtual pair. It has bytes, and neither lines nor speed.
final class PtyMaster: SerialDevice {
    let handle: NativeHandle
    let capabilities: SerialCapabilities
    let bytesOnError = BytesOnError.withheld
    let emptyReadMeansGone = true
    let closesAtOnce = true
    let drainStyle = DrainStyle.asks
    let eventStyle = EventStyle.none
    /// The path of the other end.
    let other: SerialText
    private let hold: HandleHold

    // SAFETY: the number is this call's.
    init() throws(SerialError) {
        let fd = portloop_pty_open()
        guard fd >= 0 else { throw .system(.open, SystemCode(rawValue: -fd)) }
        hold = HandleHold { _ = portloop_serial_close(fd) }
        handle = NativeHandle(rawValue: Int(fd))
        var found = SerialCapabilities()
        for capability in [\SerialCapabilities.modemLines, \.lineEvents, \.breaks, \.lowLatency, \.rs485, \.exactDrain, \.dtrDsr, \.rtsCts]
        {
            found[keyPath: capability] = .unsupported
        }
        capabilities = found
        var number: UInt32 = 0
        let answer = unsafe portloop_pty_number(fd, &number)
        other = SerialText("/dev/pts/\(number)")
        guard answer >= 0 else { throw .system(.open, SystemCode(rawValue: -answer)) }
    }

    deinit { hold.end() }

    func configure(_ settings: SerialSettings) throws(SerialError) {}

    func setLines(dtr: Bool?, rts: Bool?) throws(SerialError) { throw .unsupportedConfiguration(.lines, got: nil) }

    func inputLines() throws(SerialError) -> ModemLines { throw .unsupportedConfiguration(.lines, got: nil) }

    func setBreak(_ isOn: Bool) throws(SerialError) { throw .unsupportedConfiguration(.lines, got: nil) }

    // SAFETY: the number is this call's.
    func queues() throws(SerialError) -> SerialQueues {
        var input: Int32 = 0
        let answer = hold.use { unsafe portloop_serial_queued_input(Int32(handle.rawValue), &input) }
        guard let answer else { throw .closed }
        try check(answer, .queues)
        return SerialQueues(input: Int(input), output: 0)
    }

    func discard(_ what: SerialDirections) throws(SerialError) {
        let queue: Int32 = what == .input ? 0 : what == .output ? 1 : 2
        guard let answer = hold.use({ portloop_serial_flush(Int32(handle.rawValue), queue) }) else { throw .closed }
        try check(answer, .discard)
    }

    /// What was written is at the other end.
    func sending() throws(SerialError) -> SendingState { SendingState(waiting: 0, isIdle: nil) }

    func flush() throws(SerialError) {}

    func counters() throws(SerialError) -> LineCounters { throw .unsupportedConfiguration(.lines, got: nil) }

    func waitForEvent(_ op: consuming PreparedOp) -> Decision { op.abandon(SystemCode(rawValue: ENOTSUP)) }

    func events(in bytes: RawSpan) -> [SerialEvent] { [] }

    func writeNow(_ bytes: RawSpan) -> Int { Descriptor(fd: Int32(handle.rawValue)).writeNow(bytes) }

    func beginClose() {}

    func close() { hold.end() }

    /// EIO: nobody has the other end open any more.
    func isGone(_ code: SystemCode) -> Bool { [EIO, ENXIO, ENODEV, EPIPE].contains(code.rawValue) }
}

extension SerialPair {
    /// Makes a pair of ports that are each other's other end, of a pseudo terminal: what is written to one is read from the other. For
    /// tests and demonstrations.
    public static func virtual(on loop: EventLoop, _ settings: SerialSettings = SerialSettings()) async throws(SerialError) -> SerialPair {
        let master = try PtyMaster()
        let port: SerialPort
        do throws(SerialError) {
            port = try await SerialPort.open(master.other, settings, on: loop)
        } catch {
            master.close()
            throw error
        }
        let device = try await SerialPort.open(master, "/dev/ptmx", settings, on: loop)
        return SerialPair(port: port, device: device)
    }
}
#endif
