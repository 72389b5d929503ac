/// Two ports, each the other's other end.
public struct SerialPair: Sendable {
    /// The end that a program opens. It has a path that others can open, too, unless it is exclusive.
    public let port: SerialPort
    /// The end that plays the device.
    public let device: SerialPort

    /// Two ports that are connected.
    public init(port: SerialPort, device: SerialPort) {
        self.port = port
        self.device = device
    }
}
