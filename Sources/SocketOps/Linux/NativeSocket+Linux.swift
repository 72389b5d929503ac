#if PORTLOOP_LINUX
internal import CSocketOps
internal import Glibc
import LoopCore

extension SocketFamily {
    static let inet6 = UInt16(AF_INET6)
}

extension NativeSocket {
    private var fd: Int32 { Int32(truncatingIfNeeded: handle.rawValue) }

    /// Accepts that are in flight whether anybody waits for one or not: the kernel's own queue of connections is enough.
    static let standingAccepts = 0

    /// Whether a read of a stream of the internet protocol that brought less than it could have taken all there was; see
    /// `DescriptorRecord.shortReadEmpties` of LoopEpoll. Elsewhere a read may end early for other reasons.
    static let shortReadsEmpty = true

    /// Whether a write that waits for room and is given up says how much of it has left.
    static let countsCancelledWrites = true

    // MARK: making

    static func open(_ family: UInt16, _ kind: SocketKind) throws(SocketRefusal) -> NativeSocket {
        let type = kind == .stream ? SOCK_STREAM : SOCK_DGRAM
        return NativeSocket(handle: NativeHandle(rawValue: Int(try value(portloop_socket_open(Int32(family), Int32(type.rawValue))))))
    }

    /// What the port's accept leaves to be done: nothing, it is non-blocking and not inherited.
    func finishAccept() {}

    /// What a socket for datagrams is told besides: nothing.
    func becomeDatagram() {}

    /// What a socket for datagrams is told that has got one other side: nothing.
    func becomeConnected() {}

    // SAFETY: both numbers are written on success.
    static func pair() throws(SocketRefusal) -> (NativeSocket, NativeSocket) {
        var (first, second) = (Int32(-1), Int32(-1))
        _ = try value(unsafe portloop_socket_pair(&first, &second))
        return (NativeSocket(handle: NativeHandle(rawValue: Int(first))), NativeSocket(handle: NativeHandle(rawValue: Int(second))))
    }

    // SAFETY: the address is read for its length, which is within the storage.
    func bind(_ address: SocketAddress) throws(SocketRefusal) {
        _ = try NativeSocket.value(unsafe withUnsafePointer(to: address.storage) { unsafe portloop_socket_bind(fd, $0, address.length) })
    }

    func listen(_ backlog: Int32) throws(SocketRefusal) { _ = try NativeSocket.value(portloop_socket_listen(fd, backlog)) }

    func close() { _ = portloop_socket_close(fd) }

    func abort() { _ = portloop_socket_abort(fd) }

    func shutdown(_ half: SocketHalf) throws(SocketRefusal) { _ = try NativeSocket.value(portloop_socket_shutdown(fd, half.rawValue)) }

    /// Removes a name that a listener has had in the file system.
    // SAFETY: the name ends with a zero.
    static func unlink(_ path: [UInt8]) {
        if path.first != 0 { _ = unsafe portloop_socket_unlink((path + [0]).map { CChar(bitPattern: $0) }) }
    }

    // MARK: asking

    // SAFETY: the place and its length are those of the room.
    func name() throws(SocketRefusal) -> SocketAddress {
        try unsafe address { place, length in unsafe portloop_socket_name(fd, place, length) }
    }

    // SAFETY: as above.
    func peer() throws(SocketRefusal) -> SocketAddress {
        try unsafe address { place, length in unsafe portloop_socket_peer(fd, place, length) }
    }

    // SAFETY: the room is the storage's, and the call is told how much that is.
    private func address(
        _ call: (UnsafeMutableRawPointer, UnsafeMutablePointer<UInt32>) -> Int32
    ) throws(SocketRefusal) -> SocketAddress {
        var address = SocketAddress()
        address.length = UInt32(MemoryLayout.size(ofValue: address.storage))
        var length = address.length
        let code = unsafe withUnsafeMutablePointer(to: &address.storage) { unsafe call(UnsafeMutableRawPointer($0), &length) }
        _ = try NativeSocket.value(code)
        address.length = min(length, address.length)
        return address
    }

    func set(_ option: SocketOption, _ number: Int32) throws(SocketRefusal) {
        guard let (level, name) = NativeSocket.native(option) else { return }
        _ = try NativeSocket.value(portloop_socket_set_option(fd, level, name, number))
    }

    // SAFETY: the number is written on success.
    func get(_ option: SocketOption) throws(SocketRefusal) -> Int32 {
        guard let (level, name) = NativeSocket.native(option) else { return 0 }
        var number: Int32 = 0
        _ = try NativeSocket.value(unsafe portloop_socket_option(fd, level, name, &number))
        return number
    }

    // SAFETY: all three are written on success.
    func credentials() throws(SocketRefusal) -> PeerCredentials {
        var (process, user, group) = (Int32(0), UInt32(0), UInt32(0))
        _ = try NativeSocket.value(unsafe portloop_socket_credentials(fd, &process, &user, &group))
        return PeerCredentials(process: process, user: user, group: group)
    }

    /// Nil where the platform needs no such option, because it is always as asked.
    private static func native(_ option: SocketOption) -> (Int32, Int32)? {
        switch option {
        case .noDelay: (Int32(IPPROTO_TCP), TCP_NODELAY)
        case .keepAlive: (SOL_SOCKET, SO_KEEPALIVE)
        case .keepAliveIdle: (Int32(IPPROTO_TCP), TCP_KEEPIDLE)
        case .keepAliveInterval: (Int32(IPPROTO_TCP), TCP_KEEPINTVL)
        case .keepAliveCount: (Int32(IPPROTO_TCP), TCP_KEEPCNT)
        case .reuseAddress: (SOL_SOCKET, SO_REUSEADDR)
        case .reusePort: (SOL_SOCKET, SO_REUSEPORT)
        case .exclusiveAddress: nil
        case .only6: (Int32(IPPROTO_IPV6), IPV6_V6ONLY)
        case .receiveBuffer: (SOL_SOCKET, SO_RCVBUF)
        case .sendBuffer: (SOL_SOCKET, SO_SNDBUF)
        case .broadcast: (SOL_SOCKET, SO_BROADCAST)
        }
    }

    // MARK: bytes

    // SAFETY: the memory is the caller's for the time of the call.
    func receive(into memory: UnsafeMutableRawBufferPointer) -> Moved {
        Moved(unsafe portloop_socket_receive(fd, memory.baseAddress, memory.count))
    }

    // SAFETY: as above.
    func send(_ memory: UnsafeRawBufferPointer) -> Moved { Moved(unsafe portloop_socket_send(fd, memory.baseAddress, memory.count)) }

    /// Sends the first of the pieces as far as one call takes them.
    // SAFETY: each piece is its array's while the call is made.
    func send(pieces: ArraySlice<[UInt8]>, skipping first: Int) -> Moved {
        var list: [iovec] = unsafe []
        return unsafe NativeSocket.gather(pieces.prefix(segmentsMax), skipping: first, &list) {
            Moved(unsafe portloop_socket_send_pieces(fd, $0, $1))
        }
    }

    /// Calls with the addresses of all pieces, each borrowed inside the borrowing of the one before it.
    // SAFETY: as above.
    private static func gather(
        _ pieces: ArraySlice<[UInt8]>, skipping first: Int, _ list: inout [iovec], _ body: (UnsafePointer<iovec>?, Int) -> Moved
    ) -> Moved {
        guard let piece = pieces.first else { return unsafe list.withUnsafeBufferPointer { unsafe body($0.baseAddress, $0.count) } }
        return unsafe piece.withUnsafeBytes { bytes in
            let rest = unsafe UnsafeMutableRawPointer(mutating: bytes.baseAddress.map { unsafe $0 + first })
            unsafe list.append(iovec(iov_base: rest, iov_len: bytes.count - first))
            return unsafe gather(pieces.dropFirst(), skipping: 0, &list, body)
        }
    }

    // SAFETY: as above; the address is read for its length.
    func send(_ memory: UnsafeRawBufferPointer, to address: SocketAddress?) -> Moved {
        let address = address ?? SocketAddress()
        return unsafe withUnsafePointer(to: address.storage) {
            Moved(unsafe portloop_socket_send_to(fd, memory.baseAddress, memory.count, $0, address.length))
        }
    }

    /// One datagram, its sender, and whether it was longer than the memory.
    // SAFETY: as above; the room for the address is the storage's.
    func receive(into memory: UnsafeMutableRawBufferPointer, from address: inout SocketAddress, isCut: inout Bool) -> Moved {
        var (length, cut) = (UInt32(MemoryLayout.size(ofValue: address.storage)), Int32(0))
        let answer = unsafe withUnsafeMutablePointer(to: &address.storage) {
            unsafe portloop_socket_receive_from(fd, memory.baseAddress, memory.count, $0, &length, &cut)
        }
        address.length = min(length, UInt32(MemoryLayout.size(ofValue: address.storage)))
        isCut = cut != 0
        return Moved(answer)
    }

    private static func value(_ answer: Int32) throws(SocketRefusal) -> Int32 {
        guard answer >= 0 else { throw SocketRefusal(code: SystemCode(rawValue: -answer)) }
        return answer
    }
}

extension Moved {
    fileprivate init(_ answer: Int64) {
        switch answer {
        case 0...: self = .bytes(Int(answer))
        case -Int64(EAGAIN): self = .wouldBlock
        default: self = .failed(SystemCode(rawValue: Int32(truncatingIfNeeded: -answer)))
        }
    }
}

extension SocketError {
    /// What an error number says of a socket.
    init(_ code: SystemCode, _ call: SocketCall) {
        self =
            switch code.rawValue {
            case ECONNRESET, EPIPE, ECONNABORTED, ENOTCONN: .reset
            case ECONNREFUSED: .refused
            case ETIMEDOUT: .timedOut(call, moved: 0)
            case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN: .unreachable
            case EADDRINUSE: .addressInUse
            case EADDRNOTAVAIL: .addressNotAvailable
            case ENOENT, ENOTDIR: .notFound
            case EACCES, EPERM: .permissionDenied
            case EMSGSIZE: .tooLong
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: .exhausted
            case EAFNOSUPPORT, EPROTONOSUPPORT, EOPNOTSUPP, ENOPROTOOPT: .notSupported(call)
            default: .system(call, code)
            }
    }

    /// Whether there may be sockets or memory again later.
    static func isShortage(_ code: SystemCode) -> Bool { [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code.rawValue) }
}
#endif
