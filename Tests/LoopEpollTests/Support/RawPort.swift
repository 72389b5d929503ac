import Glibc
import LoopCore
import LoopEpoll

/// The port without the books of a ``PortBench``, which allocate.
@safe final class RawPort {
    private let port: EpollPort
    private let ends: Ends
    private let near: Associated
    private let batch: UnsafeMutableBufferPointer<Packet>
    private let byte: UnsafeMutablePointer<UInt8>

    init(_ port: EpollPort, _ ends: Ends, _ near: Associated) {
        self.port = port
        self.ends = ends
        self.near = near
        unsafe batch = .allocate(capacity: 16)
        unsafe byte = .allocate(capacity: 1)
        unsafe byte.pointee = 7
    }

    deinit {
        unsafe batch.deallocate()
        unsafe byte.deallocate()
    }

    /// A read that waits, a byte from the far end, and an answer to it. Looks before it reads, so that the counts are exact on a busy
    /// machine, too.
    func exchange(_ read: Lent, _ write: Lent) {
        read.begin(on: near)
        write.begin(on: near)
        require(port.read(read.request(.allowed), at: nil) == .owesPacket)
        unsafe require(Glibc.write(ends.far.fd, byte, 1) == 1)
        while bytesWaiting(ends.near) == 0 {}
        unsafe require(port.wait(into: batch, for: .forever) == 1 && batch[0].completion.count == 1)
        require(port.write(write.request(.allowed), count: 1, at: nil) == .completed(Completion(count: 1)))
        while bytesWaiting(ends.far) == 0 {}
        unsafe require(Glibc.read(ends.far.fd, byte, 1) == 1)
    }
}
