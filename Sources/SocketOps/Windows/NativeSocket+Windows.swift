#if PORTLOOP_WINDOWS
internal import CLoopWin32
import LoopCore

extension SocketFamily {
    static let inet6 = UInt16(portloop_win32_inet6)
}

extension NativeSocket {
    private var raw: Int { handle.rawValue }

    /// Accepts that are in flight whether anybody waits for one or not: a connection that finds one waiting is a socket of ours at once.
    static let standingAccepts = 8

    /// Whether a read of a stream of the internet protocol that brought less than it could have taken all there was. Winsock promises no
    /// such thing.
    static let shortReadsEmpty = false

    /// Whether a write that waits for room and is given up says how much of it has left. `WSASend` does not: more may have left than it
    /// counts (Boost.Asio's issue 1263), and `CancelIoEx` of one operation may end others on the socket (.NET's pull request 32981).
    static let countsCancelledWrites = false

    // MARK: making

    // SAFETY: the shim writes its answers before it says zero, into places of the call's own; here and below.
    static func open(_ family: UInt16, _ kind: SocketKind) throws(SocketRefusal) -> NativeSocket {
        try check(portloop_win32_sockets_start())
        let (type, number) =
            kind == .stream ? (portloop_win32_stream, portloop_win32_tcp) : (portloop_win32_datagram, portloop_win32_udp)
        let isInternet = family != SocketFamily.unix
        var made = portloop_win32_invalid
        try check(unsafe portloop_win32_socket_open(Int32(family), Int32(type), isInternet ? Int32(number) : 0, &made))
        let native = NativeSocket(handle: NativeHandle(rawValue: made))
        return try native.orClose { native throws(SocketRefusal) in
            // What is done with a control block waits all the same; what is done without one must not.
            try check(portloop_win32_socket_set_nonblocking(made, 1))
            return native
        }
    }

    /// What the port's accept leaves to be done: nothing, it is non-blocking and not inherited.
    func finishAccept() {}

    /// What a socket for datagrams is told besides: that nobody has its address too, and that a datagram which nobody took is no failure of
    /// the next one that comes. A system that has no such failures refuses the latter.
    func becomeDatagram() {
        try? set(.exclusiveAddress, 1)
        _ = portloop_win32_socket_tell_udp_resets(raw, 0)
    }

    /// What a socket for datagrams is told that has got one other side: where that is nobody, it wants to know.
    func becomeConnected() { _ = portloop_win32_socket_tell_udp_resets(raw, 1) }

    // SAFETY: the address is read for its length, which is within the storage.
    func bind(_ address: SocketAddress) throws(SocketRefusal) {
        try NativeSocket.check(unsafe withUnsafePointer(to: address.storage) { unsafe portloop_win32_socket_bind(raw, $0, address.length) })
    }

    func listen(_ backlog: Int32) throws(SocketRefusal) { try NativeSocket.check(portloop_win32_socket_listen(raw, backlog)) }

    func close() { _ = portloop_win32_socket_close(raw) }

    func abort() { _ = portloop_win32_socket_abort(raw) }

    func shutdown(_ half: SocketHalf) throws(SocketRefusal) {
        try NativeSocket.check(portloop_win32_socket_shutdown(raw, half.rawValue))
    }

    /// Removes a name that a listener has had in the file system.
    // SAFETY: the name ends with a zero.
    static func unlink(_ path: [UInt8]) {
        _ = unsafe portloop_win32_file_delete(Array(String(decoding: path, as: UTF8.self).utf16) + [0])
    }

    // MARK: asking

    // SAFETY: the place and its length are those of the room.
    func name() throws(SocketRefusal) -> SocketAddress {
        try unsafe address { place, length in unsafe portloop_win32_socket_name(raw, place, length) }
    }

    // SAFETY: as above.
    func peer() throws(SocketRefusal) -> SocketAddress {
        try unsafe address { place, length in unsafe portloop_win32_socket_peer(raw, place, length) }
    }

    // SAFETY: the room is the storage's, and the call is told how much that is.
    private func address(
        _ call: (UnsafeMutableRawPointer, UnsafeMutablePointer<UInt32>) -> UInt32
    ) throws(SocketRefusal) -> SocketAddress {
        var (address, length) = (SocketAddress(), SocketAddress.room)
        try NativeSocket.check(unsafe withUnsafeMutablePointer(to: &address.storage) { unsafe call(UnsafeMutableRawPointer($0), &length) })
        address.length = min(length, SocketAddress.room)
        return address
    }

    // SAFETY: the number is read before the call returns.
    func set(_ option: SocketOption, _ number: Int32) throws(SocketRefusal) {
        guard let (level, name) = try NativeSocket.native(option) else { return }
        var number = number
        try NativeSocket.check(unsafe portloop_win32_socket_set_option(raw, level, name, &number, 4))
    }

    // SAFETY: see `open`; the call is told how much room there is.
    func get(_ option: SocketOption) throws(SocketRefusal) -> Int32 {
        guard let (level, name) = try NativeSocket.native(option) else { return 0 }
        var (number, length) = (Int32(0), UInt32(4))
        try NativeSocket.check(unsafe portloop_win32_socket_option(raw, level, name, &number, &length))
        return number
    }

    static func check(_ code: UInt32) throws(SocketRefusal) {
        if code != 0 { throw SocketRefusal(code: SystemCode(rawValue: Int32(bitPattern: code))) }
    }
}

// MARK: options

extension NativeSocket {
    /// Nil where the platform needs no such option, because it is always as asked: an address that a listener has left is free at once, and
    /// SO_REUSEADDR would take one that somebody has. Not free is one that connections of it are still open at: that comes with the
    /// address's being nobody else's. winsock2.h and ws2ipdef.h have the numbers.
    private static func native(_ option: SocketOption) throws(SocketRefusal) -> (Int32, Int32)? {
        switch option {
        case .noDelay: (tcpLevel, 1)
        case .keepAlive: (socketLevel, 8)
        case .keepAliveIdle: (tcpLevel, 3)
        case .keepAliveInterval: (tcpLevel, 17)
        case .keepAliveCount: (tcpLevel, 16)
        case .reuseAddress: nil
        case .reusePort: throw SocketRefusal(code: SystemCode(rawValue: 10045))
        // SO_EXCLUSIVEADDRUSE: who listens after us at the same address with SO_REUSEADDR would get our connections otherwise.
        case .exclusiveAddress: (socketLevel, ~4)
        case .only6: (version6Level, 27)
        case .receiveBuffer: (socketLevel, 0x1002)
        case .sendBuffer: (socketLevel, 0x1001)
        case .broadcast: (socketLevel, 0x20)
        }
    }

    /// SOL_SOCKET.
    private static let socketLevel: Int32 = 0xFFFF
    private static let tcpLevel = Int32(portloop_win32_tcp)
    /// IPPROTO_IPV6.
    private static let version6Level: Int32 = 41
}

// MARK: bytes

extension NativeSocket {
    // SAFETY: the memory is the caller's for the time of the call; here and below.
    func receive(into memory: UnsafeMutableRawBufferPointer) -> Moved {
        var moved: UInt32 = 0
        let code = unsafe portloop_win32_socket_receive_now(raw, memory.baseAddress, UInt32(clamping: memory.count), 0, &moved)
        return Moved(code, moved)
    }

    /// Sends at most ``sendMax`` of the bytes.
    // SAFETY: as above.
    func send(_ memory: UnsafeRawBufferPointer) -> Moved {
        var moved: UInt32 = 0
        let count = UInt32(min(memory.count, NativeSocket.sendMax))
        return Moved(unsafe portloop_win32_socket_send_now(raw, memory.baseAddress, count, 0, &moved), moved)
    }

    /// Sends the first of the pieces as far as one call takes them.
    // SAFETY: each piece is its array's while the call is made.
    func send(pieces: ArraySlice<[UInt8]>, skipping first: Int) -> Moved {
        var list: [portloop_win32_segment] = unsafe []
        return unsafe NativeSocket.gather(pieces.prefix(segmentsMax), skipping: first, NativeSocket.sendMax, &list) { list in
            var moved: UInt32 = 0
            return Moved(unsafe portloop_win32_socket_send_pieces_now(raw, list, UInt32(list.count), &moved), moved)
        }
    }

    /// Calls with the addresses of all pieces, each borrowed inside the borrowing of the one before it.
    // SAFETY: as above.
    private static func gather(
        _ pieces: ArraySlice<[UInt8]>, skipping first: Int, _ room: Int, _ list: inout [portloop_win32_segment],
        _ body: ([portloop_win32_segment]) -> Moved
    ) -> Moved {
        guard room > 0, let piece = pieces.first else { return unsafe body(list) }
        return unsafe piece.withUnsafeBytes { bytes in
            let count = min(bytes.count - first, room)
            let rest = unsafe UnsafeMutableRawPointer(mutating: bytes.baseAddress.map { unsafe $0 + first })
            unsafe list.append(portloop_win32_segment(count: UInt32(count), base: rest))
            return unsafe gather(pieces.dropFirst(), skipping: 0, room - count, &list, body)
        }
    }

    /// Winsock copies all that one call gives it as long as there is room for any of it, however much that is: in pieces, a slow peer holds
    /// the sender back. Microsoft's KB 214397 has the rules.
    private static let sendMax = 64 << 10

    // SAFETY: as above; the address is read for its length.
    func send(_ memory: UnsafeRawBufferPointer, to address: SocketAddress?) -> Moved {
        var moved: UInt32 = 0
        let count = UInt32(clamping: memory.count)
        guard let address else { return Moved(unsafe portloop_win32_socket_send_now(raw, memory.baseAddress, count, 0, &moved), moved) }
        let code = unsafe withUnsafePointer(to: address.storage) {
            unsafe portloop_win32_socket_send_to_now(raw, memory.baseAddress, count, $0, address.length, &moved)
        }
        return Moved(code, moved)
    }

    /// One datagram, its sender, and whether it was longer than the memory.
    // SAFETY: as above; the room for the address is the storage's.
    func receive(into memory: UnsafeMutableRawBufferPointer, from address: inout SocketAddress, isCut: inout Bool) -> Moved {
        var (length, cut, moved) = (SocketAddress.room, Int32(0), UInt32(0))
        let code = unsafe withUnsafeMutablePointer(to: &address.storage) {
            unsafe portloop_win32_socket_receive_from_now(
                raw, memory.baseAddress, UInt32(clamping: memory.count), $0, &length, &cut, &moved)
        }
        address.length = min(length, SocketAddress.room)
        isCut = cut != 0
        return Moved(code, moved)
    }
}

extension SocketAddress {
    fileprivate static let room = UInt32(portloop_win32_address_bytes)
}

extension Moved {
    fileprivate init(_ code: UInt32, _ moved: UInt32) {
        switch code {
        case 0: self = .bytes(Int(moved))
        case UInt32(portloop_win32_would_block): self = .wouldBlock
        default: self = .failed(SystemCode(rawValue: Int32(bitPattern: code)))
        }
    }
}
#endif
