internal import CLoopWin32

/// A socket of IPv4 that is closed with its owner.
@safe final class RawSocket {
    enum Kind {
        case tcp
        case udp
    }

    let handle: Int

    init(_ kind: Kind) throws(Unmet) {
        var made = 0
        var code = portloop_win32_sockets_start()
        let (type, number) = kind == .tcp ? (portloop_win32_stream, portloop_win32_tcp) : (portloop_win32_datagram, portloop_win32_udp)
        if code == 0 { code = unsafe portloop_win32_socket_open(Int32(portloop_win32_inet), Int32(type), Int32(number), &made) }
        handle = made
        if code != 0 { throw .failed("a socket: error \(code)") }
    }

    init(adopting handle: Int) { self.handle = handle }

    deinit {
        if isOpen { _ = portloop_win32_socket_close(handle) }
    }

    private var isOpen = true

    /// Closes it now; the number is somebody else's from here on.
    func close() -> UInt32 {
        isOpen = false
        return portloop_win32_socket_close(handle)
    }

    /// The same, with a reset for the peer.
    func abort() -> UInt32 {
        isOpen = false
        return portloop_win32_socket_abort(handle)
    }

    // MARK: addresses

    static let addressBytes = UInt32(MemoryLayout<portloop_win32_address4>.size)

    /// The loopback interface.
    static func address(port: UInt16 = 0) -> portloop_win32_address4 {
        var address = portloop_win32_address4()
        address.family = UInt16(portloop_win32_inet)
        address.port = port.bigEndian
        address.address = (127, 0, 0, 1)
        return address
    }

    func bind() throws(Unmet) {
        var address = Self.address()
        let code = unsafe portloop_win32_socket_bind(handle, &address, Self.addressBytes)
        if code != 0 { throw .failed("bind: error \(code)") }
    }

    /// Where others find it.
    func name() throws(Unmet) -> portloop_win32_address4 {
        var (address, length) = (portloop_win32_address4(), Self.addressBytes)
        let code = unsafe portloop_win32_socket_name(handle, &address, &length)
        if code != 0 { throw .failed("getsockname: error \(code)") }
        return address
    }

    func peer() throws(Unmet) -> portloop_win32_address4 {
        var (address, length) = (portloop_win32_address4(), Self.addressBytes)
        let code = unsafe portloop_win32_socket_peer(handle, &address, &length)
        if code != 0 { throw .failed("getpeername: error \(code)") }
        return address
    }

    func listen(backlog: Int32) -> UInt32 { portloop_win32_socket_listen(handle, backlog) }

    func listen() throws(Unmet) {
        try bind()
        let code = listen(backlog: 16)
        if code != 0 { throw .failed("listen: error \(code)") }
    }

    /// Two connected sockets, made without a port.
    static func pair() throws(Unmet) -> (RawSocket, RawSocket) {
        let (listener, client) = (try RawSocket(.tcp), try RawSocket(.tcp))
        try listener.listen()
        var (address, accepted) = (try listener.name(), 0)
        var code = unsafe portloop_win32_socket_connect_now(client.handle, &address, addressBytes)
        if code == 0 { code = unsafe portloop_win32_socket_accept_now(listener.handle, &accepted) }
        if code != 0 { throw .failed("a connection: error \(code)") }
        return (client, RawSocket(adopting: accepted))
    }

    // MARK: bytes

    func sendNow(_ bytes: [UInt8]) throws(Unmet) {
        var moved: UInt32 = 0
        let code = unsafe portloop_win32_socket_send_now(handle, bytes, UInt32(bytes.count), 0, &moved)
        if code != 0 || moved != UInt32(bytes.count) { throw .failed("send: error \(code), \(moved) bytes") }
    }

    func receiveNow(max: Int) throws(Unmet) -> [UInt8] {
        var (bytes, moved) = ([UInt8](repeating: 0, count: max), UInt32(0))
        let code = unsafe portloop_win32_socket_receive_now(handle, &bytes, UInt32(max), 0, &moved)
        if code != 0 { throw .failed("recv: error \(code)") }
        return Array(bytes.prefix(Int(moved)))
    }

    // SAFETY: the buffer is the block's, which nobody frees; the segment is read before the call returns.
    func send(_ block: Block) -> UInt32 {
        var segment = unsafe portloop_win32_segment(count: block.count, base: block.buffer.baseAddress)
        return unsafe portloop_win32_socket_send(handle, &segment, 1, block.overlapped)
    }

    // SAFETY: as above; the flags are the block's own.
    func receive(_ block: Block) -> UInt32 {
        var segment = unsafe portloop_win32_segment(count: block.count, base: block.buffer.baseAddress)
        return unsafe portloop_win32_socket_receive(handle, &segment, 1, block.flags, block.overlapped)
    }

    /// What Winsock says of a finished operation.
    func result(of block: Block) -> (code: UInt32, bytes: UInt32) {
        var (bytes, flags) = (UInt32(0), UInt32(0))
        let code = unsafe portloop_win32_socket_result(handle, block.overlapped, &bytes, &flags)
        return (code, bytes)
    }
}
