/// How a listener listens.
public struct ListenOptions: Hashable, Sendable {
    /// Connections that the system keeps until they are accepted; it may keep fewer.
    public var backlog: Int
    /// Connections that may be open at a time. Further ones wait in the system's queue.
    public var connectionsMax: Int
    /// Several listeners may have the address, and the system deals the connections out among them (SO_REUSEPORT). Not on Windows.
    public var sharesPort: Bool
    /// A listener at an address of version 6 takes no connections of version 4.
    public var isVersion6Only: Bool

    /// A listener that takes all that come.
    public init(backlog: Int = 4_096, connectionsMax: Int = .max, sharesPort: Bool = false, isVersion6Only: Bool = false) {
        self.backlog = backlog
        self.connectionsMax = connectionsMax
        self.sharesPort = sharesPort
        self.isVersion6Only = isVersion6Only
    }
}
