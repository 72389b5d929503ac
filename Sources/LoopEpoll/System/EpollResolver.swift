internal import CLoopEpoll
internal import Glibc
internal import LoopCore

/// The system's resolver: getaddrinfo(3), with whatever nsswitch.conf(5) says.
final class EpollResolver: SystemResolver {
    /// Addresses of one name; what is beyond is left out. 64: nobody tries more.
    private static let addressesMax = 64

    func addresses(of query: NameQuery) throws(ResolveError) -> [SocketAddress] {
        var error: Int32 = 0
        let room = Array(repeating: portloop_address(), count: EpollResolver.addressesMax)
        let (code, found) = look(up: query, room, &error)
        if code < 0 { throw ResolveError(addressInfo: code, errno: error) }
        guard code > 0 else { throw .noAddress(.none) }
        return found.prefix(Int(code)).map { SocketAddress($0) }
    }

    // SAFETY: both names end in a zero and live for the call, which writes no further than the room.
    private func look(up query: NameQuery, _ room: [portloop_address], _ error: inout Int32) -> (Int32, [portloop_address]) {
        var room = room
        let family = query.family == .ipv4 ? AF_INET : query.family == .ipv6 ? AF_INET6 : AF_UNSPEC
        let code = unsafe query.host.withCString { host in
            unsafe query.service.withCString { service in
                unsafe portloop_resolve(host, service, family, query.numericOnly ? 1 : 0, &room, UInt32(room.count), &error)
            }
        }
        return (code, room)
    }
}

extension SocketAddress {
    // SAFETY: both are 16 words, and trivial.
    fileprivate init(_ address: portloop_address) {
        self.init()
        length = address.length
        storage = unsafe unsafeBitCast(address.storage, to: InlineArray<16, UInt64>.self)
    }
}

extension ResolveError {
    /// What getaddrinfo(3) said. The numbers are netdb.h's, some of which it declares for GNU's own programs alone.
    fileprivate init(addressInfo code: Int32, errno: Int32) {
        let system = SystemCode(rawValue: code)
        self =
            switch code {
            case -2: .nameNotFound(system)  // EAI_NONAME
            case -5, -9: .noAddress(system)  // EAI_NODATA, EAI_ADDRFAMILY
            case -8: .serviceNotFound(system)  // EAI_SERVICE
            case -3: .temporaryFailure(system)  // EAI_AGAIN
            case -4: .permanentFailure(system)  // EAI_FAIL
            case -11: .system(SystemCode(rawValue: errno))  // EAI_SYSTEM
            default: .system(system)
            }
    }
}
