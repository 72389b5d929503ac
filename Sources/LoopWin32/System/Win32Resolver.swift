internal import CLoopWin32
internal import LoopCore

/// The system's resolver: `GetAddrInfoW`.
final class Win32Resolver: SystemResolver {
    /// Addresses of one name; what is beyond is left out. 64: nobody tries more.
    private static let addressesMax = 64

    // SAFETY: both names end in a zero and live for the call, which writes no further than the room.
    func addresses(of query: NameQuery) throws(ResolveError) -> [SocketAddress] {
        let family = query.family == .ipv4 ? portloop_win32_inet : query.family == .ipv6 ? portloop_win32_inet6 : 0
        let (host, service) = (terminated(query.host), terminated(query.service))
        var room = Array(repeating: portloop_win32_name_address(), count: Win32Resolver.addressesMax)
        var count: UInt32 = 0
        let code = unsafe portloop_win32_resolve(
            host, service, Int32(family), query.numericOnly ? 1 : 0, &room, UInt32(room.count), &count)
        if code != 0 { throw ResolveError(winsock: SystemCode(code)) }
        guard count > 0 else { throw .noAddress(.none) }
        return room.prefix(Int(count)).map { SocketAddress($0) }
    }

    private func terminated(_ name: String) -> [CChar] { name.utf8.map { CChar(bitPattern: $0) } + [0] }
}

extension SocketAddress {
    // SAFETY: both are 16 words, and trivial.
    fileprivate init(_ address: portloop_win32_name_address) {
        self.init()
        length = address.length
        storage = unsafe unsafeBitCast(address.storage, to: InlineArray<16, UInt64>.self)
    }
}

extension ResolveError {
    /// What `GetAddrInfoW` returned: Winsock's own codes.
    fileprivate init(winsock code: SystemCode) {
        self =
            switch code.rawValue {
            case 11001: .nameNotFound(code)  // WSAHOST_NOT_FOUND, EAI_NONAME
            case 11002: .temporaryFailure(code)  // WSATRY_AGAIN, EAI_AGAIN
            case 11003: .permanentFailure(code)  // WSANO_RECOVERY, EAI_FAIL
            case 11004, 10047: .noAddress(code)  // WSANO_DATA; WSAEAFNOSUPPORT, EAI_FAMILY
            case 10109: .serviceNotFound(code)  // WSATYPE_NOT_FOUND, EAI_SERVICE
            case 1113: .malformedName  // ERROR_NO_UNICODE_TRANSLATION
            default: .system(code)
            }
    }
}
