import CLoopEpoll
import Glibc
import LoopCore

func openSocket(_ family: Int32, _ type: __socket_type) -> OpenFile { OpenFile(socket(family, Int32(type.rawValue) | nonblockCloexec, 0)) }

/// A TCP listener on a port of the loopback address.
func openListener(backlog: Int32 = 64) -> (listener: OpenFile, address: SocketAddress) {
    let listener = openSocket(AF_INET, SOCK_STREAM)
    listener.bind(loopback(port: 0))
    listen(listener.fd, backlog)
    return (listener, listener.localAddress)
}

/// A Unix-domain socket bound to a name of the kernel's choice.
func openUnixSocket(_ type: __socket_type) -> OpenFile {
    let socket = openSocket(AF_UNIX, type)
    var address = SocketAddress()
    address.length = 2
    address.storage[0] = UInt64(AF_UNIX)
    socket.bind(address)
    return socket
}

/// A client of a listener. It is connected when it is here, and does not block from then on.
func openClient(of address: SocketAddress) -> OpenFile {
    let client = OpenFile(socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
    if client.connect(address) != 0 { trap("A test could not connect: errno \(errno).") }
    _ = fcntl(client.fd, F_SETFL, fcntl(client.fd, F_GETFL) | O_NONBLOCK)
    return client
}

func tcpEnds() -> Ends {
    let (listener, address) = openListener()
    let near = openClient(of: address)
    return Ends(near: near, far: listener.accepted())
}

/// 127.0.0.1 with a port.
func loopback(port: UInt16) -> SocketAddress {
    var address = SocketAddress()
    address.length = 16
    let bytes = UInt64(AF_INET) | UInt64(port.bigEndian) << 16 | UInt64(UInt32(0x7F00_0001).bigEndian) << 32
    address.storage[0] = bytes
    return address
}

extension SocketAddress {
    var port: UInt16 { UInt16(truncatingIfNeeded: storage[0] >> 16).bigEndian }
    var family: Int32 { Int32(storage[0] & 0xFFFF) }
}

extension OpenFile {
    func bind(_ address: SocketAddress) {
        let code = unsafe address.withBytes { unsafe Glibc.bind(fd, $0, $1) }
        if code != 0 { trap("A test could not bind: errno \(errno).") }
    }

    @discardableResult
    func connect(_ address: SocketAddress) -> Int32 {
        unsafe address.withBytes { unsafe Glibc.connect(fd, $0, $1) }
    }

    /// Takes a connection that may still be on its way: the handshake's last step is another processor's business.
    func accepted() -> OpenFile {
        while true {
            let fd = portloop_accept(fd, nil, nil)
            if fd != -EAGAIN { return OpenFile(fd) }
        }
    }

    func send(_ bytes: [UInt8], to address: SocketAddress) -> Int {
        unsafe address.withBytes { target, length in
            unsafe bytes.withUnsafeBytes {
                unsafe sendto(fd, $0.baseAddress, $0.count, 0, target, length)
            }
        }
    }

    var localAddress: SocketAddress {
        var address = SocketAddress()
        var length: socklen_t = 128
        unsafe withUnsafeMutablePointer(to: &address.storage) { storage in
            let target = unsafe UnsafeMutableRawPointer(storage).assumingMemoryBound(to: sockaddr.self)
            unsafe _ = getsockname(fd, target, &length)
        }
        address.length = length
        return address
    }
}

extension SocketAddress {
    fileprivate func withBytes<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
        unsafe withUnsafePointer(to: storage) { storage in
            unsafe body(UnsafeRawPointer(storage).assumingMemoryBound(to: sockaddr.self), length)
        }
    }
}
