/// What Windows says of the device behind a port, in its own words, and what they mean. It runs everywhere: nothing here calls Windows.
///
/// An instance is called "BUS\DEVICE\WHICH". On USB the device is "VID_0403&PID_6001", with "&MI_01" for one function of several, and the
/// last part is the serial number of a device that has one. For one that has none, and for every function, Windows makes up a part with a
/// "&" in it, which says where the device is plugged in. FTDI's driver has a bus of its own: "FTDIBUS\VID_0403+PID_6001+A1B2C3A\0000",
/// where a letter for the port, A to D, follows the serial number.
package struct Win32DeviceTexts: Hashable, Sendable {
    package var instance: SerialText?
    package var hardware: SerialText?
    package var name: SerialText?
    package var manufacturer: SerialText?
    package var product: SerialText?
    package var description: SerialText?
    package var service: SerialText?
    package var location: SerialText?
    package var parent: SerialText?
    package var parentLocation: SerialText?

    package init() {}

    /// All of it about a port.
    package func describe(_ info: inout SerialPortInfo) {
        let ids = [instance, hardware, parent].map { $0.map(Win32DeviceID.init) }
        if let id = ids.lazy.compactMap({ $0 }).first(where: { $0.vendor != nil && $0.product != nil }) {
            (info.vendorID, info.productID) = (id.vendor, id.product)
        }
        info.interfaceNumber = ids[0]?.interface ?? ids[1]?.interface
        info.serialNumber = serialNumber(ids[0], ids[2])
        info.kind = info.vendorID != nil ? .usb : ids[0]?.kind ?? info.kind
        (info.manufacturer, info.product, info.friendlyName) = (manufacturer, product ?? description, name)
        info.location = (location ?? parentLocation).map(Win32DeviceTexts.socket)
        info.driver = service ?? info.driver
    }

    /// A device's own, or, for a function of a device and for a port on a driver's own bus, that of the device it is a part of. A parent of
    /// another model is the hub.
    private func serialNumber(_ own: Win32DeviceID?, _ parent: Win32DeviceID?) -> SerialText? {
        guard let own else { return nil }
        if let number = own.serial { return number }
        guard let parent, own.vendor != nil, (parent.vendor, parent.product) == (own.vendor, own.product) else { return nil }
        return parent.serial
    }

    /// A path without its last step, where that is the function.
    private static func socket(_ path: SerialText) -> SerialText {
        guard let step = path.bytes.lastIndex(of: UInt8(ascii: "#")), path.bytes[step...].starts(with: Array("#USBMI(".utf8)) else {
            return path
        }
        return SerialText(bytes: Array(path.bytes[..<step]))
    }
}

/// The name of an instance, or of a kind of hardware, taken apart.
package struct Win32DeviceID: Hashable, Sendable {
    package private(set) var kind: SerialPortKind?
    package private(set) var vendor: UInt16?
    package private(set) var product: UInt16?
    package private(set) var interface: UInt8?
    package private(set) var serial: SerialText?

    package init(_ text: SerialText) {
        let parts = text.bytes.split(separator: UInt8(ascii: "\\"), omittingEmptySubsequences: false)
        let bus = Win32DeviceID.upper(parts[0])
        kind = Win32DeviceID.kinds.first { bus == Array($0.bus.utf8) }?.kind
        guard kind == .usb, parts.count > 1 else { return }
        let words = parts[1].split { $0 == UInt8(ascii: "&") || $0 == UInt8(ascii: "+") }
        vendor = Win32DeviceID.number("VID_", 4, words)
        product = Win32DeviceID.number("PID_", 4, words)
        interface = Win32DeviceID.number("MI_", 2, words).map { UInt8(truncatingIfNeeded: $0) }
        guard vendor != nil, product != nil else { return }
        if bus == Array("FTDIBUS".utf8) { takePort(parts[1]) } else if parts.count > 2, interface == nil { takeSerial(parts[2]) }
    }

    private static let kinds: [(bus: String, kind: SerialPortKind)] = [
        ("USB", .usb), ("FTDIBUS", .usb), ("BTHENUM", .bluetooth), ("BTHLEDEVICE", .bluetooth), ("PCI", .pci), ("MF", .pci),
        ("ACPI", .builtIn), ("PNP", .builtIn),
    ]

    private mutating func takeSerial(_ part: ArraySlice<UInt8>) {
        if !part.isEmpty, !part.contains(UInt8(ascii: "&")) { serial = SerialText(bytes: Array(part)) }
    }

    /// "VID_0403+PID_6001+A1B2C3A": the last letter is the port's.
    private mutating func takePort(_ part: ArraySlice<UInt8>) {
        let words = part.split(separator: UInt8(ascii: "+"))
        guard words.count == 3, let letter = words[2].last, (UInt8(ascii: "A")...UInt8(ascii: "D")).contains(letter) else { return }
        interface = letter - UInt8(ascii: "A")
        takeSerial(words[2].dropLast())
    }

    /// The hexadecimal number behind a prefix.
    private static func number(_ prefix: String, _ digits: Int, _ words: [ArraySlice<UInt8>]) -> UInt16? {
        let prefix = Array(prefix.utf8)
        for word in words where word.count >= prefix.count + digits && upper(word.prefix(prefix.count)) == prefix {
            return UInt16(String(decoding: word.dropFirst(prefix.count).prefix(digits), as: UTF8.self), radix: 16)
        }
        return nil
    }

    private static func upper(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        bytes.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) ? $0 - 0x20 : $0 }
    }
}
