/// Looks names up, and takes as long as that takes.
public protocol SystemResolver: AnyObject, Sendable {
    /// The addresses of a name, in the order in which to try them; never none. It is called on a worker's thread and MAY block there,
    /// unless the query is ``NameQuery/numericOnly``: then it is called on the loop's, and MUST NOT ask a server or read a file.
    func addresses(of query: NameQuery) throws(ResolveError) -> [SocketAddress]
}

/// What is looked up.
public struct NameQuery: Hashable, Sendable {
    /// A name or a number: "example.com", "192.0.2.7", "::1", "fe80::1%eth0".
    public var host: String
    /// A name or a number: "https", "443".
    public var service: String
    /// Which addresses are wanted.
    public var family: AddressFamily
    /// Only numbers are accepted; a name is ``ResolveError/nameNotFound(_:)``.
    public var numericOnly: Bool

    init(_ host: String, _ service: String, _ family: AddressFamily) {
        self.host = host
        self.service = service
        self.family = family
        numericOnly = false
    }

    /// Whether a number stands for the service, so that no list of names has to be read for it.
    var hasNumericService: Bool { !service.utf8.isEmpty && service.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") } }

    /// Whether no system could take it: too long for a name, or cut short by a zero.
    var isMalformed: Bool {
        [host, service].contains { $0.utf8.isEmpty || $0.utf8.count > NameQuery.bytesMax || $0.utf8.contains(0) }
    }

    /// Bytes of a name: 1,024 is NI_MAXHOST less one, rounded; a name of the DNS has at most 253.
    private static let bytesMax = 1_024
}

/// Which of the two kinds of internet address.
public enum AddressFamily: UInt8, Hashable, Sendable {
    case any
    case ipv4
    case ipv6
}

/// Why a name has no addresses. The codes are the platform's own: those of getaddrinfo(3), or of Winsock.
public enum ResolveError: Error, Hashable, Sendable {
    /// There is no such name.
    case nameNotFound(SystemCode)
    /// The name exists, and has no address of the wanted kind.
    case noAddress(SystemCode)
    /// There is no such service.
    case serviceNotFound(SystemCode)
    /// No server answered, or one asks to be asked again: later it may work.
    case temporaryFailure(SystemCode)
    /// A server failed in a way that asking again does not mend.
    case permanentFailure(SystemCode)
    /// The system failed otherwise.
    case system(SystemCode)
    /// Empty, too long, or with a zero in it.
    case malformedName
    /// The time was up.
    case timedOut
    /// The task was cancelled.
    case cancelled
    /// The loop was shut down.
    case closed
    /// As much work waits for the loop's threads as may.
    case queueFull(limit: Int)
    /// The loop's port looks no names up.
    case notSupported
}
