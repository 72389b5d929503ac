#if PORTLOOP_LINUX
import CSerialOps
import Glibc
import LoopCore

@testable import SerialOps

/// The machine's ports.
enum Bench {
    /// The second 16550; the first is the console.
    static let uart: SerialText = "/dev/ttyS1"
    /// The adapter with a chip of FTDI.
    static let adapter: SerialText = "/dev/ttyUSB0"
    /// A USB modem and the device it belongs to, one machine's both ends.
    static let modem: SerialText = "/dev/ttyACM0"
    static let gadget: SerialText = "/dev/ttyGS0"

    /// Waits until everything is plugged in that a case may use, and leaves the 16550 as it was when the machine started.
    static func isWhole(_ loop: isolated EventLoop) async throws {
        for path in [uart, adapter, modem, gadget] {
            try await loop.wait(until: "\(path) is there") { exists(path) }
        }
        try BackDoor(uart).setLoopBack(false)
    }

    /// Whether a node is there.
    // SAFETY: the path ends with a NUL for the time of the call.
    static func exists(_ path: SerialText) -> Bool { unsafe access("\(path)", F_OK) == 0 }

    /// Writes to a file of the system's.
    // SAFETY: the call reads as many bytes as the array has.
    static func write(_ text: String, to path: String) throws {
        let fd = unsafe open(path, O_WRONLY | O_CLOEXEC)
        try expect(fd >= 0, "\(path) cannot be opened: \(errno)")
        defer { close(fd) }
        let bytes = Array(text.utf8)
        let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(fd, $0.baseAddress, $0.count) }
        try expect(count == bytes.count, "\(path) did not take \(text): \(errno)")
    }
}

/// The modem's plug: a device that the kernel is told not to use is taken from its drivers as one that was unplugged is.
struct ModemPlug {
    private let switchPath: String

    // SAFETY: realpath allocates what it returns, as a NUL-terminated string.
    init() throws {
        guard let found = unsafe realpath("/sys/class/tty/ttyACM0/device/..", nil) else { throw Unmet("the modem has no device") }
        defer { unsafe free(found) }
        switchPath = unsafe String(cString: found) + "/authorized"
    }

    func pull() throws { try Bench.write("0", to: switchPath) }

    func putIn() throws { try Bench.write("1", to: switchPath) }
}

/// A second way to a port, past what the port's own interface allows: as root, a port that is held is opened all the same.
struct BackDoor: ~Copyable {
    private let fd: Int32

    // SAFETY: the path ends with a NUL for the time of the call.
    init(_ path: SerialText) throws {
        fd = unsafe open("\(path)", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        try expect(fd >= 0, "\(path) has no back door: \(errno)")
    }

    deinit { close(fd) }

    /// Closes it here; otherwise it is closed where it was last used.
    consuming func release() {}

    /// Connects the chip's outputs to its own inputs: RTS to CTS, DTR to DSR.
    func setLoopBack(_ isOn: Bool) throws {
        let loopBack: Int32 = 0x8000
        let answer = isOn ? portloop_serial_lines_raise(fd, loopBack) : portloop_serial_lines_drop(fd, loopBack)
        try expect(answer >= 0, "no loop back: \(-answer)")
    }

    /// Has the driver send only while CTS is on.
    // SAFETY: the structure is the kernel's own in size and layout; the shim asserts it.
    func setFlowControl() throws {
        var settings = portloop_termios()
        try expect(unsafe portloop_termios_get(fd, &settings) >= 0, "no settings")
        settings.control_flags |= 0x8000_0000
        try expect(unsafe portloop_termios_set(fd, &settings) >= 0, "no flow control")
    }

    /// What the driver was told to do differently.
    // SAFETY: as above.
    var driverFlags: Int32 {
        get throws {
            var info = portloop_serial_info()
            try expect(unsafe portloop_serial_info_get(fd, &info) >= 0, "no flags")
            return info.flags
        }
    }
}

/// What this process has used.
struct Usage {
    let microseconds: Int
    let switches: Int

    // SAFETY: the structure is this call's.
    static var now: Usage {
        var usage = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        return Usage(
            microseconds: seconds * 1_000_000 + Int(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec),
            switches: usage.ru_nvcsw + usage.ru_nivcsw)
    }
}
#endif
