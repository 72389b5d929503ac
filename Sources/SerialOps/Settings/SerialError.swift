public import LoopCore
import StreamOps

/// Why a call of a serial port did not do what it was called for. Each case says what to do about it, in ``description``.
public enum SerialError: Error, Hashable, Sendable {
    /// There is no such port.
    case notFound(SerialText)
    /// The port is there, and this user may not open it.
    case permissionDenied(SerialText, group: SerialText?)
    /// Somebody else has the port.
    case busy(PortHolder)
    /// What the path names is no serial port.
    case notASerialPort(SerialText)
    /// The port was closed on this side.
    case closed
    /// The device is gone: unplugged, or the other end of a pty closed.
    case disconnected
    /// The platform or the driver cannot do this, or said yes and did something else: then with what it did.
    case unsupportedConfiguration(SerialSetting, got: UInt32?)
    /// The time was up. Bytes that had been received are still there to be read; of a write so many bytes had left.
    case timedOut(SerialCall, moved: Int)
    /// The task was cancelled, with the same said about bytes.
    case cancelled(SerialCall, moved: Int)
    /// The driver answers neither the call nor its cancel. What it holds is left with it.
    case stuck(SerialCall)
    /// So many bytes came, and the end of the frame was not among them. They are still there to be read.
    case frameTooLong(limit: Int)
    /// A watchdog ended the calls it stood over.
    case watchdog(WatchdogReport)
    /// The loop did not take the operation.
    case loop(SerialCall, OperationError)
    /// The system refused, with a code that has no case of its own.
    case system(SerialCall, SystemCode)
}

/// Who has a port open.
public struct PortHolder: Hashable, Sendable {
    /// The port.
    public var path: SerialText
    /// The process, where the system tells.
    public var process: Int32?
    /// Its program, where the system tells.
    public var program: SerialText?

    /// Who has that port, as far as it is known.
    public init(path: SerialText, process: Int32? = nil, program: SerialText? = nil) {
        self.path = path
        self.process = process
        self.program = program
    }
}

/// What a watchdog found.
public struct WatchdogReport: Hashable, Sendable {
    /// What was exceeded.
    public var limit: WatchdogLimit
    /// How long that limit was.
    public var time: Duration
    /// What was waited for when it ended.
    public var pending: SerialCall?
    /// Bytes received under it.
    public var received: Int
    /// Bytes sent under it.
    public var sent: Int

    /// What a watchdog says when it ends something.
    public init(limit: WatchdogLimit, time: Duration, pending: SerialCall?, received: Int, sent: Int) {
        self.limit = limit
        self.time = time
        self.pending = pending
        self.received = received
        self.sent = sent
    }
}

/// Which limit of a watchdog was reached.
public enum WatchdogLimit: UInt8, Hashable, Sendable {
    /// All of it took too long.
    case total
    /// Nothing moved for too long.
    case inactivity
}

/// What was called.
public enum SerialCall: UInt8, Hashable, Sendable {
    case open
    case configure
    case read
    case write
    case drain
    case discard
    case lines
    case sendBreak
    case events
    case queues
    case close
    case list
    case watch
    case reconnect
}

extension SerialError: CustomStringConvertible {
    /// What happened, and what to do.
    public var description: String {
        switch self {
        case .notFound(let path): "there is no port \(path). Look at what there is with `portloop list`, and at its cable."
        case .permissionDenied(let path, let group?):
            "this user may not open \(path). Join the group \(group) (`usermod -aG \(group) USER`) and log in again."
        case .permissionDenied(let path, nil): "this user may not open \(path). Its permissions say who may."
        case .busy(let holder): holder.description
        case .notASerialPort(let path): "\(path) is no serial port."
        case .closed: "the port was closed. Open it again."
        case .disconnected: "the device is gone. Plug it in again, and reconnect or open the port again."
        case .unsupportedConfiguration(let setting, got: let got?):
            "the driver does not do this \(setting.name): it was asked and set \(got) instead. Ask for something that it can do."
        case .unsupportedConfiguration(let setting, got: nil): "this platform or its driver cannot do this \(setting.name)."
        case .timedOut(let call, let moved): "the time was up in \(call.name), after \(moved) bytes."
        case .cancelled(let call, let moved): "the task was cancelled in \(call.name), after \(moved) bytes."
        case .stuck(let call):
            "the driver answers neither \(call.name) nor its cancel. Unplug the device, or restart its driver; what it holds stays with it."
        case .frameTooLong(let limit): "no end of a frame in \(limit) bytes. Read them, or allow longer frames."
        case .watchdog(let report): report.description
        case .loop(let call, let error): "the loop did not take \(call.name): \(error.words)."
        case .system(let call, let code): "the system refused \(call.name) with code \(code.rawValue)."
        }
    }
}

extension PortHolder: CustomStringConvertible {
    public var description: String {
        let advice = "Close it there, or open it without `isExclusive` on both sides."
        switch (process, program) {
        case (let process?, let program?): return "\(path) is held by \(program), process \(process). \(advice)"
        case (let process?, nil): return "\(path) is held by process \(process). \(advice)"
        default: return "\(path) is held by another program. \(advice)"
        }
    }
}

extension WatchdogReport: CustomStringConvertible {
    public var description: String {
        let what =
            switch limit {
            case .total: "it took longer than"
            case .inactivity: "nothing moved for"
            }
        let place = pending.map { " in \($0.name)" } ?? ""
        let found = "\(what) \(time.inMilliseconds) ms\(place), with \(received) bytes received and \(sent) sent."
        return "\(found) Is the device powered, set to the same speed, and not held back by flow control?"
    }
}

extension Duration {
    fileprivate var inMilliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}

extension SerialCall {
    /// The call's name, for sentences.
    public var name: StaticString {
        switch self {
        case .open: "open"
        case .configure: "configure"
        case .read: "read"
        case .write: "write"
        case .drain: "drain"
        case .discard: "discard"
        case .lines: "lines"
        case .sendBreak: "sendBreak"
        case .events: "events"
        case .queues: "queues"
        case .close: "close"
        case .list: "list"
        case .watch: "watch"
        case .reconnect: "reconnect"
        }
    }
}

extension SerialSetting {
    /// The setting's name, for sentences.
    public var name: StaticString {
        switch self {
        case .baud: "baud"
        case .dataBits: "number of data bits"
        case .parity: "parity"
        case .stopBits: "number of stop bits"
        case .flowControl: "flow control"
        case .lines: "state of the lines"
        case .exclusive: "exclusive use"
        case .lowLatency: "low latency"
        case .rs485: "RS-485 mode"
        case .hangsUpOnClose: "hang-up on close"
        case .marksDamage: "marking of damaged bytes"
        }
    }
}
