import Glibc
import LoopCore
import Testing

@testable import SerialOps

/// A folder that looks like /sys and /dev of a machine, as much of them as a list of ports looks at. It goes with its last reference.
final class FakePorts: Sendable {
    let root: String

    init() throws {
        var template = Array("/tmp/portloop-ports-XXXXXX".utf8CString)
        // SAFETY: the template is NUL-terminated, and written to in place.
        try #require(unsafe mkdtemp(&template) != nil)
        root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for folder in ["dev", "sys/class/tty", "sys/devices", "sys/bus"] { try makeFolder(folder) }
    }

    deinit { FakePorts.remove(root) }

    var source: LinuxSerialPortSource { LinuxSerialPortSource(sys: "\(root)/sys", dev: "\(root)/dev", news: .folder) }
    /// With the kernel's news of the real machine, about the list of this one.
    var sourceWithKernelNews: LinuxSerialPortSource { LinuxSerialPortSource(sys: "\(root)/sys", dev: "\(root)/dev") }

    func path(_ name: String) -> SerialText { SerialText("\(root)/dev/\(name)") }

    // MARK: devices

    /// A UART of the board; a type of zero is a place without a chip.
    func addUART(_ name: String, type: Int, bus: String = "pnp") throws {
        let device = "sys/devices/\(bus)0/00:0\(name.suffix(1))"
        try makeFolder(device)
        try link("\(device)/subsystem", "sys/bus/\(bus)")
        try link("\(device)/driver", "sys/bus/\(bus)/drivers/serial")
        // A layer of newer kernels between the device and its terminal.
        let layer = "\(device)/00:0\(name.suffix(1)):0"
        try makeFolder(layer)
        try link("\(layer)/subsystem", "sys/bus/serial-base")
        try link("\(layer)/driver", "sys/bus/serial-base/drivers/port")
        try addTerminal(name, on: layer, ["type": "\(type)"])
    }

    struct Adapter {
        var vendor = "0403"
        var product = "6001"
        var serial: String? = "A1"
        var socket = "1-2.4"
        var interface = "00"
        var name = "ttyUSB0"
    }

    func plugIn(_ adapter: Adapter, node: (String) throws -> Void = { _ in }) throws {
        let device = "sys/devices/pci0/usb1/\(adapter.socket)"
        try makeFolder(device)
        try link("\(device)/subsystem", "sys/bus/usb")
        try link("\(device)/driver", "sys/bus/usb/drivers/usb")
        try write("\(device)/idVendor", "\(adapter.vendor)\n")
        try write("\(device)/idProduct", "\(adapter.product)\n")
        try write("\(device)/manufacturer", " Maker \n")
        try write("\(device)/product", "Model\n")
        if let serial = adapter.serial { try write("\(device)/serial", "\(serial)\n") }
        let interface = "\(device)/\(adapter.socket):1.\(adapter.interface)"
        try makeFolder(interface)
        try link("\(interface)/subsystem", "sys/bus/usb")
        try link("\(interface)/driver", "sys/bus/usb/drivers/ftdi_sio")
        try write("\(interface)/bInterfaceNumber", "\(adapter.interface)\n")
        try addTerminal(adapter.name, on: interface, [:], node: node)
    }

    /// The node goes first, as it does in the system.
    func pullOut(_ adapter: Adapter) throws {
        for path in ["dev/\(adapter.name)", "sys/class/tty/\(adapter.name)"] { unsafe unlink("\(root)/\(path)") }
        FakePorts.remove("\(root)/sys/devices/pci0/usb1/\(adapter.socket)")
    }

    /// The node comes last, as it does in the system.
    func addTerminal(
        _ name: String, on device: String?, _ attributes: [String: String], node: (String) throws -> Void = { _ in }
    ) throws {
        let entry = "\(device ?? "sys/devices/virtual")/tty/\(name)"
        try makeFolder(entry)
        if let device { try link("\(entry)/device", device) }
        for (attribute, value) in attributes { try write("\(entry)/\(attribute)", "\(value)\n") }
        try link("sys/class/tty/\(name)", entry)
        try node("\(root)/dev/\(name)")
        if unsafe access("\(root)/dev/\(name)", F_OK) != 0 { try write("dev/\(name)", "") }
    }

    // MARK: files

    // SAFETY: paths end with a NUL for the time of each call, and the call reads as many bytes as the array has.
    func write(_ path: String, _ text: String) throws {
        let fd = unsafe open("\(root)/\(path)", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        try #require(fd >= 0, "\(path): \(errno)")
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(fd, $0.baseAddress, $0.count) }
        Glibc.close(fd)
    }

    private func link(_ path: String, _ target: String) throws {
        try makeFolder(target)
        // SAFETY: both paths end with a NUL for the time of the call.
        try #require(unsafe symlink("\(root)/\(target)", "\(root)/\(path)") == 0 || errno == EEXIST, "\(path): \(errno)")
    }

    private func makeFolder(_ path: String) throws {
        var folder = root
        for name in path.split(separator: "/") {
            folder += "/\(name)"
            // SAFETY: the path ends with a NUL for the time of the call.
            try #require(unsafe mkdir(folder, 0o755) == 0 || errno == EEXIST, "\(folder): \(errno)")
        }
    }

    /// Removes a folder with what is in it, and follows no link.
    // SAFETY: an entry lives until the next is read, and its name ends with a NUL.
    private static func remove(_ path: String) {
        if unsafe unlink(path) == 0 { return }
        for name in LinuxSystem.names(in: path) ?? [] { remove("\(path)/\(name)") }
        unsafe rmdir(path)
    }
}
