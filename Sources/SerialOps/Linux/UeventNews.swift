#if PORTLOOP_LINUX
internal import CSerialOps
internal import Glibc
internal import LoopCore

/// What the kernel says of devices, as it says it to udev: one datagram for each thing that came, went or changed.
final class UeventNews: SerialPortNews {
    let handle: NativeHandle
    /// The kernel's messages are 2 KiB at most, and a header.
    let bytesMax = 4_096
    private let dev: String
    private let hold: HandleHold

    /// Nil where the kernel refuses: in some containers.
    init?(dev: String) {
        let fd = portloop_uevents_open()
        guard fd >= 0 else { return nil }
        handle = NativeHandle(rawValue: Int(fd))
        self.dev = dev
        hold = HandleHold { _ = portloop_serial_close(fd) }
    }

    /// Reads on until something concerns a terminal: a device that is plugged in brings twenty messages, and one that does.
    func wait(_ op: consuming PreparedOp) -> Decision {
        op.attempt(.read) { handle, buffer in
            while true {
                // SAFETY: the call writes at most as many bytes as the buffer has.
                let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                    unsafe portloop_uevents_receive(Int32(handle.rawValue), bytes.baseAddress, UInt32(bytes.count))
                }
                if count == -EAGAIN { return .wouldBlock(.read) }
                guard count >= 0 else { return .failed(SystemCode(rawValue: -count)) }
                if Uevent(buffer.bytes.extracting(first: Int(count))).subsystem == "tty" { return .done(count: Int(count)) }
            }
        }
    }

    func forEachGone(in bytes: RawSpan, _ visit: (SerialText) -> Void) {
        let event = Uevent(bytes)
        guard event.action == "remove", let name = event.name else { return }
        visit(SerialText("\(dev)/\(name)"))
    }

    /// The socket's buffer was full.
    func isLoss(_ code: SystemCode) -> Bool { code.rawValue == ENOBUFS }

    func close() { hold.end() }
}

/// A message of the kernel's: "remove@/devices/…" and then lines NAME=VALUE, each ended by a NUL.
struct Uevent {
    private(set) var action: SerialText?
    private(set) var subsystem: SerialText?
    /// The node's name below /dev.
    private(set) var name: SerialText?

    // SAFETY: as many bytes are copied as the span has.
    init(_ bytes: RawSpan) { self.init(unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }) }

    init(_ bytes: [UInt8]) {
        for line in bytes.split(separator: 0) {
            guard let sign = line.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let value = SerialText(bytes: Array(line[(sign + 1)...]))
            switch SerialText(bytes: Array(line[..<sign])) {
            case "ACTION": action = value
            case "SUBSYSTEM": subsystem = value
            case "DEVNAME": name = value
            default: break
            }
        }
    }
}
#endif
