/// What stays of a port when it is unplugged and plugged in again, perhaps under another name.
///
/// A device with a serial number is the same wherever it is plugged in. One without is taken for the same where its model is, in the same
/// socket. What is no USB device is known by its path.
public struct SerialIdentity: Hashable, Sendable {
    /// The number that USB gave the maker; nil for what is no USB device.
    public var vendorID: UInt16?
    /// The number that the maker gave the model.
    public var productID: UInt16?
    /// Tells devices of one model apart.
    public var serialNumber: SerialText?
    /// Which of the device's functions it is; nil for any.
    public var interfaceNumber: UInt8?
    /// Where it is plugged in; decides where there is no serial number.
    public var location: SerialText?
    /// Decides for what is no USB device.
    public var path: SerialText?

    /// A model, and one device of it where a serial number is given. What is nil may be anything.
    public init(vendorID: UInt16, productID: UInt16, serialNumber: SerialText? = nil, interfaceNumber: UInt8? = nil) {
        self.vendorID = vendorID
        self.productID = productID
        self.serialNumber = serialNumber
        self.interfaceNumber = interfaceNumber
    }

    init(_ info: SerialPortInfo) {
        vendorID = info.vendorID
        productID = info.productID
        serialNumber = info.serialNumber
        interfaceNumber = info.interfaceNumber
        if serialNumber == nil { location = info.location }
        if vendorID == nil { path = info.path }
    }

    /// Whether a port is the one that is meant.
    public func matches(_ info: SerialPortInfo) -> Bool {
        func agrees<Value: Equatable>(_ wanted: Value?, _ found: Value?) -> Bool { wanted == nil || wanted == found }
        return agrees(vendorID, info.vendorID) && agrees(productID, info.productID) && agrees(serialNumber, info.serialNumber)
            && agrees(interfaceNumber, info.interfaceNumber) && agrees(location, info.location) && agrees(path, info.path)
    }
}

extension SerialPortInfo {
    /// What this port is found by when it is plugged in again: ``SerialPort/open(matching:_:on:timeout:)``.
    public var identity: SerialIdentity { SerialIdentity(self) }
}
