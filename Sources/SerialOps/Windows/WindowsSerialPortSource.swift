#if PORTLOOP_WINDOWS
import CLoopWin32
import LoopCore

typealias NativeSerialPortSource = WindowsSerialPortSource

/// The ports that the registry lists, with what SetupAPI knows of their devices.
///
/// The registry's list has a port from when its driver has started it until the device is pulled, whatever its class, and so is what can be
/// opened. SetupAPI has devices of many classes that may be ports, printers' among them, and such as did not start.
package final class WindowsSerialPortSource: SerialPortSource {
    package init() {}

    package func ports() throws(SerialError) -> [SerialPortInfo] {
        let listed = try WindowsPorts.listed()
        return (listed.isEmpty ? [] : described(listed)).sorted { PortOrder($0.path) < PortOrder($1.path) }
    }

    package func port(at path: SerialText) -> SerialPortInfo? {
        let name = WindowsPorts.name(in: path)
        let listed = (try? WindowsPorts.listed()) ?? []
        return listed.first { WindowsPorts.name(in: $0.path) == name }.flatMap { described([$0]).first }
    }

    package func listen() throws(SerialError) -> any SerialPortNews { try RegistryNews() }

    private func described(_ ports: [SerialPortInfo]) -> [SerialPortInfo] {
        var ports = ports
        let names = ports.map { WindowsPorts.name(in: $0.path) }
        WindowsPorts.forEachDevice { port, texts in
            guard let place = names.firstIndex(of: WindowsPorts.name(in: port)) else { return }
            texts().describe(&ports[place])
        }
        return ports
    }
}

/// What the system knows of ports without opening any.
enum WindowsPorts {
    /// The lines of the registry's list.
    static func listed() throws(SerialError) -> [SerialPortInfo] {
        var found: [SerialPortInfo] = []
        while found.count < listedMax {
            var device = [UInt16](repeating: 0, count: unitsMax)
            var port = device
            // SAFETY: both buffers are as long as the call is told, and it ends what it writes with a NUL.
            let code = unsafe portloop_win32_comm_listed(
                UInt32(found.count), &device, UInt32(device.count), &port, UInt32(port.count))
            switch code {
            case 0: found.append(info(text(port), driver: text(device)))
            case noMoreItems, noSuchKey: return found
            default: throw .system(.list, SystemCode(rawValue: Int32(bitPattern: code)))
            }
        }
        return found
    }

    static func names() throws(SerialError) -> [SerialText] { try listed().map { $0.path } }

    /// The names that the drivers of USB adapters and of boards' own ports give their devices.
    private static func info(_ port: SerialText, driver: SerialText) -> SerialPortInfo {
        var info = SerialPortInfo(path: port, kind: .other)
        info.driver = driver
        func begins(with words: String...) -> Bool { words.contains { driver.bytes.starts(with: Array("\\Device\\\($0)".utf8)) } }
        if begins(with: "VCP", "USBSER", "Silabser", "ProlificSerial") {
            info.kind = .usb
        } else if begins(with: "Serial") {
            info.kind = .builtIn
        } else if begins(with: "BthModem") {
            info.kind = .bluetooth
        }
        return info
    }

    /// The devices that have a port's name, each once for every set that it is in. What they say is asked for when it is called for.
    // SAFETY: the set is written before zero is said, and closed once.
    static func forEachDevice(_ visit: (SerialText, () -> Win32DeviceTexts) -> Void) {
        for kind in [portloop_win32_devices_interfaces, portloop_win32_devices_modems, portloop_win32_devices_ports] {
            var devices = 0
            guard unsafe portloop_win32_devices_open(UInt32(kind), &devices) == 0 else { continue }
            for place: UInt32 in 0..<devicesMax {
                let (port, code) = text(devices, place, portloop_win32_device_port)
                if code == noMoreItems { break }
                if let port { visit(port) { texts(devices, place) } }
            }
            _ = portloop_win32_devices_close(devices)
        }
    }

    private static func texts(_ devices: Int, _ place: UInt32) -> Win32DeviceTexts {
        func text(_ what: Int) -> SerialText? { WindowsPorts.text(devices, place, what).found }
        var texts = Win32DeviceTexts()
        texts.instance = text(portloop_win32_device_instance)
        texts.hardware = text(portloop_win32_device_hardware)
        texts.name = text(portloop_win32_device_name)
        texts.manufacturer = text(portloop_win32_device_manufacturer)
        texts.product = text(portloop_win32_device_product)
        texts.description = text(portloop_win32_device_description)
        texts.service = text(portloop_win32_device_service)
        texts.location = text(portloop_win32_device_location)
        texts.parent = text(portloop_win32_device_parent)
        texts.parentLocation = text(portloop_win32_device_parent_location)
        return texts
    }

    /// A text of a device's, and the code where there is none.
    // SAFETY: the buffer is as long as the call is told, and it ends what it writes with a NUL.
    private static func text(_ devices: Int, _ place: UInt32, _ what: Int) -> (found: SerialText?, code: UInt32) {
        var units = [UInt16](repeating: 0, count: unitsMax)
        let code = unsafe portloop_win32_device_text(devices, place, UInt32(what), &units, UInt32(units.count))
        let found = code == 0 ? text(units) : ""
        return (found.isEmpty ? nil : found, code)
    }

    private static func text(_ units: [UInt16]) -> SerialText { SerialText(String(decoding: units.prefix { $0 != 0 }, as: UTF16.self)) }

    /// A port's name as it is compared: in capitals, and without the namespace of devices.
    static func name(in path: SerialText) -> SerialText {
        let bytes = path.bytes.starts(with: Array("\\\\.\\".utf8)) ? path.bytes.dropFirst(4) : path.bytes[...]
        return SerialText(bytes: bytes.map { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 })
    }

    /// More lines or devices than any machine has: a registry that never ends is not asked for ever.
    private static let listedMax = 4_096
    private static let devicesMax: UInt32 = 4_096
    /// The longest path of a location has some hundred.
    private static let unitsMax = 1_024
    private static let noSuchKey: UInt32 = 2
    private static let noMoreItems: UInt32 = 259
}
#endif
