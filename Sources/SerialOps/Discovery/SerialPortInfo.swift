/// What the system knows of a serial port that nobody needs to open for that.
public struct SerialPortInfo: Hashable, Sendable {
    /// What ``SerialPort/open(_:_:on:timeout:)`` takes. The next device that is plugged in may get the same.
    public var path: SerialText
    /// How it is connected.
    public var kind: SerialPortKind
    /// The number that USB gave its maker.
    public var vendorID: UInt16?
    /// The number that its maker gave the model.
    public var productID: UInt16?
    /// Tells devices of one model apart, where the maker took the trouble.
    public var serialNumber: SerialText?
    /// The maker, as the device says it.
    public var manufacturer: SerialText?
    /// The model, as the device says it.
    public var product: SerialText?
    /// What the system calls it when it shows it to people ("USB Serial Port (COM5)"). Windows alone.
    public var friendlyName: SerialText?
    /// Where it is plugged in: the bus and the sockets on the way ("1-2.4"), or the place on the board. On Windows the path from the
    /// controller on ("PCIROOT(0)#PCI(1400)#USBROOT(0)#USB(2)#USB(4)"), which tells two controllers apart.
    public var location: SerialText?
    /// Which of the device's functions it is: an adapter with two ports has two. Windows numbers those of devices with several alone.
    public var interfaceNumber: UInt8?
    /// The system's driver.
    public var driver: SerialText?

    /// A port of which nothing else is known yet.
    public init(path: SerialText, kind: SerialPortKind) {
        self.path = path
        self.kind = kind
    }
}

/// How a serial port is connected.
public enum SerialPortKind: UInt8, Hashable, Sendable, CaseIterable {
    /// On the board.
    case builtIn
    case usb
    /// On a card.
    case pci
    case bluetooth
    /// This machine is the device, and another one sees the port at the other end of the cable.
    case gadget
    case other
}

extension SerialPortKind {
    /// The kind's name, for tables.
    public var name: StaticString {
        switch self {
        case .builtIn: "built-in"
        case .usb: "usb"
        case .pci: "pci"
        case .bluetooth: "bluetooth"
        case .gadget: "gadget"
        case .other: "other"
        }
    }
}
