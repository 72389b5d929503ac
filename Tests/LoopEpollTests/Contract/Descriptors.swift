import Glibc
import LoopCore
import LoopSim

/// Pairs of descriptors, all non-blocking, that nobody closes but who is given them.
enum Descriptors {
    static func socketPair() -> StreamEnds { Carrier.unixStream.open().released() }

    static func datagramPair() -> StreamEnds { LoopEpollTests.socketPair(Int32(SOCK_DGRAM.rawValue)).released() }

    static func pipe(near: Direction) -> StreamEnds {
        (near == .read ? Carrier.pipe.open() : Carrier.pipe.openForWriting()).released()
    }

    /// A terminal in raw mode: near is the side a program opens, far the side that plays the device.
    static func terminal() -> StreamEnds { Carrier.terminal.open().released() }

    /// A connected pair over the loopback interface, which sends each write at once.
    static func tcpPair() -> StreamEnds {
        let ends = Carrier.tcp.open()
        for end in [ends.near, ends.far] { end.setOption(Int32(IPPROTO_TCP), TCP_NODELAY, 1) }
        return ends.released()
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

extension Ends {
    fileprivate func released() -> StreamEnds { StreamEnds(near: near.release(), far: far.release()) }
}
