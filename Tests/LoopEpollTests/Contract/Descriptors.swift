import Glibc
import LoopCore
import LoopSim

/// Pairs of descriptors, all non-blocking.
enum Descriptors {
    // SAFETY: the call writes two integers.
    static func socketPair(_ type: __socket_type) -> StreamEnds {
        var ends: [Int32] = [-1, -1]
        let flags = Int32(type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, flags, 0, &ends) == 0 else { trap("no socket pair: error \(errno)") }
        return StreamEnds(near: NativeHandle(ends[0]), far: NativeHandle(ends[1]))
    }

    // SAFETY: the call writes two integers.
    static func pipe(near: Direction) -> StreamEnds {
        var ends: [Int32] = [-1, -1]
        guard unsafe Glibc.pipe(&ends) == 0 else { trap("no pipe: error \(errno)") }
        for end in ends { setFlags(end) }
        let (reader, writer) = (NativeHandle(ends[0]), NativeHandle(ends[1]))
        return near == .read ? StreamEnds(near: reader, far: writer) : StreamEnds(near: writer, far: reader)
    }

    /// A terminal in raw mode: near is the side a program opens, far the side that plays the device.
    // SAFETY: each call gets the structure it expects, alive for its time.
    static func terminal() -> StreamEnds {
        // What posix_openpt, unlockpt and ptsname do: Swift's Glibc module lacks them.
        let (unlock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)  // TIOCSPTLCK, TIOCGPTN
        let master = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        var (off, number): (Int32, UInt32) = (0, 0)
        guard master >= 0, unsafe ioctl(master, unlock, &off) == 0, unsafe ioctl(master, getNumber, &number) == 0 else {
            trap("no pseudo-terminal: error \(errno)")
        }
        let slave = unsafe open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        guard slave >= 0 else { trap("cannot open the terminal: error \(errno)") }
        var settings = termios()
        unsafe tcgetattr(slave, &settings)
        unsafe cfmakeraw(&settings)
        unsafe tcsetattr(slave, TCSANOW, &settings)
        return StreamEnds(near: NativeHandle(slave), far: NativeHandle(master))
    }

    /// A connected pair over the loopback interface.
    // SAFETY: sockaddr_in is what the calls are told it is, with its size.
    static func tcpPair() -> StreamEnds {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let near = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let isConnected = unsafe withUnsafeMutablePointer(to: &address) { pointer -> Bool in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic -> Bool in
                guard unsafe bind(listener, generic, length) == 0, listen(listener, 1) == 0 else { return false }
                guard unsafe getsockname(listener, generic, &length) == 0 else { return false }
                return unsafe connect(near, generic, length) == 0
            }
        }
        let far = Glibc.accept(listener, nil, nil)
        Glibc.close(listener)
        guard isConnected, far >= 0 else { trap("no TCP pair: error \(errno)") }
        for end in [near, far] {
            var on: Int32 = 1
            unsafe setsockopt(end, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
            setFlags(end)
        }
        return StreamEnds(near: NativeHandle(near), far: NativeHandle(far))
    }

    /// A listener on a free port of the loopback interface.
    // SAFETY: sockaddr_in is what the calls are told it is, with its size.
    static func listener() -> (handle: NativeHandle, port: UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                guard unsafe bind(listener, generic, length) == 0, listen(listener, 8) == 0 else { trap("cannot listen: error \(errno)") }
                unsafe getsockname(listener, generic, &length)
            }
        }
        return (NativeHandle(listener), UInt16(bigEndian: address.sin_port))
    }

    /// A connection to a listener, made at once.
    // SAFETY: as for `listener`.
    static func client(of port: UInt16) -> NativeHandle {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                guard unsafe connect(client, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 else {
                    trap("cannot connect: error \(errno)")
                }
            }
        }
        return NativeHandle(client)
    }

    private static func setFlags(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    /// Descriptors the calling thread has open.
    // SAFETY: the directory is open until closedir.
    static func openCount() -> Int {
        guard let directory = unsafe opendir("/proc/thread-self/fd") else { trap("cannot list the open descriptors") }
        defer { unsafe closedir(directory) }
        var count = 0
        while unsafe readdir(directory) != nil { count += 1 }
        return count
    }
}
