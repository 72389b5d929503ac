#if PORTLOOP_LINUX
internal import Glibc
internal import LoopCore

typealias NativeSerialPortSource = LinuxSerialPortSource

/// The ports of Linux as /sys/class/tty lists them, with what their devices say of themselves.
package final class LinuxSerialPortSource: SerialPortSource {
    private let sys: String
    private let dev: String
    private let news: NewsKind

    /// Where news come from.
    package enum NewsKind: Sendable {
        /// From the kernel, or from the folder of devices where the kernel's are not to be had.
        case best
        case folder
    }

    /// Elsewhere than in the system's own folders only for tests.
    package init(sys: String = "/sys", dev: String = "/dev", news: NewsKind = .best) {
        self.sys = sys
        self.dev = dev
        self.news = news
    }

    package func ports() throws(SerialError) -> [SerialPortInfo] {
        guard let names = LinuxSystem.names(in: "\(sys)/class/tty") else {
            // Without sysfs there is no list, which is not the same as no ports.
            throw .system(.list, SystemCode(rawValue: errno))
        }
        return names.compactMap(port(named:)).sorted { PortOrder($0.path) < PortOrder($1.path) }
    }

    package func port(at path: SerialText) -> SerialPortInfo? {
        let found = "\(LinuxSystem.resolved(path))"
        let root = "\(LinuxSystem.resolved(SerialText(dev)))/"
        guard found.hasPrefix(root) else { return nil }
        return port(named: String(found.dropFirst(root.count)).replacing("/", with: "!"))
    }

    package func listen() throws(SerialError) -> any SerialPortNews {
        if news == .best, let kernel = UeventNews(dev: dev) { return kernel }
        return try FolderNews(dev: dev)
    }

    // MARK: one port

    /// Nil for terminals that are no serial ports, and for UARTs that the driver has places for and the board has not.
    private func port(named name: String) -> SerialPortInfo? {
        let entry = "\(sys)/class/tty/\(name)"
        let path = "\(dev)/\(name.replacing("!", with: "/"))"
        guard LinuxSystem.exists(path), LinuxSystem.line(of: "\(entry)/type") != "0" else { return nil }
        var info = SerialPortInfo(path: SerialText(path), kind: .other)
        if LinuxSystem.exists("\(entry)/device") {
            describe(LinuxSystem.resolved(SerialText("\(entry)/device")), &info)
        } else if name.hasPrefix("ttyGS") {
            info.kind = .gadget
        } else if name.hasPrefix("rfcomm") {
            info.kind = .bluetooth
        } else {
            return nil
        }
        // Gone while it was looked at: what was read is not all of it.
        return LinuxSystem.exists(entry) ? info : nil
    }

    /// Asks the device and those it is plugged into, from the inside out.
    private func describe(_ device: SerialText, _ info: inout SerialPortInfo) {
        let root = "\(LinuxSystem.resolved(SerialText(sys)))"
        var folder = "\(device)"
        info.location = SerialText(lastName(folder))
        while folder.hasPrefix(root), folder.utf8.count > root.utf8.count {
            describeBus(folder, &info)
            info.interfaceNumber = info.interfaceNumber ?? number(folder, "bInterfaceNumber").map { UInt8(truncatingIfNeeded: $0) }
            if let vendor = number(folder, "idVendor"), let product = number(folder, "idProduct") {
                return describeUSB(folder, vendor, product, &info)
            }
            folder = String(folder.dropLast(lastName(folder).count + 1))
        }
    }

    /// The innermost driver, and the bus that it is on. The kernel's own layer between a UART and its terminal is neither.
    private func describeBus(_ folder: String, _ info: inout SerialPortInfo) {
        guard let subsystem = LinuxSystem.link("\(folder)/subsystem") else { return }
        let bus = lastName("\(subsystem)")
        guard bus != "serial-base" else { return }
        if info.driver == nil, let driver = LinuxSystem.link("\(folder)/driver") { info.driver = SerialText(lastName("\(driver)")) }
        guard info.kind == .other else { return }
        switch bus {
        case "pci": info.kind = .pci
        case "bluetooth": info.kind = .bluetooth
        case "pnp", "platform", "acpi", "amba", "of_platform": info.kind = .builtIn
        default: break
        }
    }

    private func describeUSB(_ folder: String, _ vendor: UInt16, _ product: UInt16, _ info: inout SerialPortInfo) {
        info.kind = .usb
        (info.vendorID, info.productID) = (vendor, product)
        info.serialNumber = text(folder, "serial")
        info.manufacturer = text(folder, "manufacturer")
        info.product = text(folder, "product")
        info.location = SerialText(lastName(folder))
    }

    // MARK: attributes

    private func number(_ folder: String, _ name: String) -> UInt16? {
        LinuxSystem.line(of: "\(folder)/\(name)").flatMap { UInt16("\($0)", radix: 16) }
    }

    /// What a device says of itself, without the space that some put around it.
    private func text(_ folder: String, _ name: String) -> SerialText? {
        guard let line = LinuxSystem.line(of: "\(folder)/\(name)") else { return nil }
        let isSpace = { (byte: UInt8) in byte <= 0x20 }
        let bytes = line.bytes.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        return bytes.isEmpty ? nil : SerialText(bytes: Array(bytes))
    }

    private func lastName(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }
}
#endif
