public import LoopCore

// A `sockaddr` of either platform: two bytes of family in the machine's order, then what the family says; ports and addresses of the
// internet protocol are in the network's.

extension SocketAddress {
    /// An address and a port of the internet protocol.
    public init(_ address: IPAddress, port: UInt16) {
        self.init()
        let portBytes = [UInt8(port >> 8), UInt8(port & 0xFF)]
        if address.isVersion6 {
            let scope = (0..<4).map { UInt8(truncatingIfNeeded: address.scope >> (8 * UInt32($0))) }
            set(family: SocketFamily.inet6, portBytes + [0, 0, 0, 0] + address.bytes + scope)
        } else {
            set(family: SocketFamily.inet4, portBytes + address.bytes + Array(repeating: 0, count: 8))
        }
    }

    /// The address, if it is one of the internet protocol.
    public var ip: IPAddress? {
        switch family {
        case SocketFamily.inet4 where length >= 8: return IPAddress(bytes: bytes(4..<8))
        case SocketFamily.inet6 where length >= 24:
            let scope = length >= 28 ? bytes(24..<28).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) } : 0
            return IPAddress(bytes: bytes(8..<24), scope: scope)
        default: return nil
        }
    }

    /// The port, if the address has one.
    public var port: UInt16? {
        guard ip != nil else { return nil }
        return UInt16(byte(at: 2)) << 8 | UInt16(byte(at: 3))
    }

    /// The name of a socket in the file system, or nil where there is no such address. A name that begins with a zero is no file: Linux
    /// keeps those by themselves.
    public init?(path: [UInt8]) {
        self.init()
        let room = SocketFamily.pathBytesMax
        guard !path.isEmpty, path.count < room else { return nil }
        guard path[0] == 0 || !path.contains(0) else { return nil }
        // A name of the file system ends with a zero; of the others the length is all there is.
        set(family: SocketFamily.unix, path[0] == 0 ? path : path + [0])
    }

    /// The name in the file system, if the address is one of the Unix domain; no bytes for a socket that has none.
    public var path: [UInt8]? {
        guard family == SocketFamily.unix, length >= 2 else { return nil }
        let name = bytes(2..<min(Int(length), 2 + SocketFamily.pathBytesMax))
        if name.first == 0 { return name.allSatisfy { $0 == 0 } ? [] : name }
        return Array(name.prefix { $0 != 0 })
    }

    /// What kind of address it is, in the platform's numbers.
    var family: UInt16 { length >= 2 ? UInt16(byte(at: 0)) | UInt16(byte(at: 1)) << 8 : 0 }

    /// For people: "192.0.2.7:443", "[2001:db8::7]:443", a path.
    public var text: String {
        if let ip, let port { return ip.isVersion6 ? "[\(ip)]:\(port)" : "\(ip):\(port)" }
        if let path { return path.isEmpty ? "a socket without a name" : String(decoding: path.map { $0 == 0 ? 0x40 : $0 }, as: UTF8.self) }
        return "no address"
    }

    private mutating func set(family: UInt16, _ rest: [UInt8]) {
        let all = [UInt8(family & 0xFF), UInt8(family >> 8)] + rest
        for (place, byte) in all.enumerated() { storage[place / 8] |= UInt64(byte) << UInt64(place % 8 * 8) }
        length = UInt32(all.count)
    }

    private func byte(at place: Int) -> UInt8 { UInt8(truncatingIfNeeded: storage[place / 8] >> UInt64(place % 8 * 8)) }

    private func bytes(_ range: Range<Int>) -> [UInt8] { range.map { byte(at: $0) } }
}

/// The numbers for kinds of addresses: those that all platforms share. ``inet6`` is in the platforms' own files.
enum SocketFamily {
    static let unix: UInt16 = 1
    static let inet4: UInt16 = 2
    /// Bytes of a name of the Unix domain, with the zero at its end: `sun_path`.
    static let pathBytesMax = 108
}
