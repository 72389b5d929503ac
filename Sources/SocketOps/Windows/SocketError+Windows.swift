#if PORTLOOP_WINDOWS
import LoopCore

extension SocketError {
    /// What a code says of a socket, or of a pipe. Winsock has numbers of its own, from 10000 on; what the kernel ended an operation with
    /// is one of Win32's where Winsock was not asked any more, and always of a pipe.
    init(_ code: SystemCode, _ call: SocketCall) {
        self =
            switch code.rawValue {
            // Of datagrams: one that was sent found nobody, or did not get there.
            case 10054 where call == .send || call == .receive: .refused
            case 10052 where call == .send || call == .receive: .unreachable
            // WSAENETRESET, WSAECONNABORTED, WSAECONNRESET, WSAENOTCONN, WSAESHUTDOWN; ERROR_NETNAME_DELETED, ERROR_CONNECTION_ABORTED.
            case 10052, 10053, 10054, 10057, 10058, 64, 1236: .reset
            // Of pipes: ERROR_BROKEN_PIPE, ERROR_NO_DATA, ERROR_PIPE_NOT_CONNECTED.
            case 109, 232, 233: .reset
            // WSAECONNREFUSED; ERROR_CONNECTION_REFUSED, ERROR_PORT_UNREACHABLE.
            case 10061, 1225, 1234: .refused
            // WSAETIMEDOUT; ERROR_SEM_TIMEOUT.
            case 10060, 121: .timedOut(call, moved: 0)
            // WSAENETDOWN, WSAENETUNREACH, WSAEHOSTDOWN, WSAEHOSTUNREACH; ERROR_NETWORK_UNREACHABLE, ERROR_HOST_UNREACHABLE.
            case 10050, 10051, 10064, 10065, 1231, 1232: .unreachable
            // WSAEADDRINUSE; ERROR_ADDRESS_ALREADY_ASSOCIATED.
            case 10048, 1227: .addressInUse
            // WSAEADDRNOTAVAIL; ERROR_INVALID_NETNAME.
            case 10049, 1214: .addressNotAvailable
            // ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND.
            case 2, 3: .notFound
            // ERROR_INVALID_NAME, ERROR_BAD_PATHNAME.
            case 123, 161: .malformedAddress
            // WSAEACCES; ERROR_ACCESS_DENIED.
            case 10013, 5: .permissionDenied
            case 10040: .tooLong
            case _ where SocketError.isShortage(code): .exhausted
            // WSAENOPROTOOPT, WSAEPROTONOSUPPORT, WSAESOCKTNOSUPPORT, WSAEOPNOTSUPP, WSAEPFNOSUPPORT, WSAEAFNOSUPPORT; ERROR_NOT_SUPPORTED.
            case 10042, 10043, 10044, 10045, 10046, 10047, 50: .notSupported(call)
            default: .system(call, code)
            }
    }

    /// Whether there may be sockets or memory again later: WSAEMFILE, WSAENOBUFS; ERROR_TOO_MANY_OPEN_FILES, ERROR_NOT_ENOUGH_MEMORY,
    /// ERROR_OUTOFMEMORY, ERROR_NO_SYSTEM_RESOURCES.
    static func isShortage(_ code: SystemCode) -> Bool { [10024, 10055, 4, 8, 14, 1450].contains(code.rawValue) }
}
#endif
