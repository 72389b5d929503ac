import Glibc
import LoopCore
import LoopEpoll
import LoopSim

/// Descriptors of Linux for the contract suite.
final class DescriptorFixture: ContractFixture {
    enum Kind {
        case unixSockets
        case tcpSockets
        case pipes
        case terminals
    }

    private let kind: Kind
    private let isChecked: Bool

    init(_ kind: Kind, checked: Bool = false) {
        self.kind = kind
        isChecked = checked
    }

    var name: String { "epoll, \(kind)" }

    /// What cases may be skipped for on this kind of descriptor.
    var lacks: Set<String> {
        switch kind {
        case .unixSockets, .tcpSockets: ["a kernel that recycles handle numbers at once"]
        case .pipes: ["datagrams", "a kernel that recycles handle numbers at once"]
        case .terminals:
            [
                "datagrams", "a kernel that recycles handle numbers at once", "a stream that ends without an error",
                "a stream that notices a peer that is gone", "a stream that fills before 4 MiB",
            ]
        }
    }

    var keepsBytesAtHangUp: Bool { kind != .terminals }

    func makeLoop(_ limits: Limits) -> EventLoop {
        do {
            guard isChecked else { return EventLoop(port: try EpollPort(), limits: limits) }
            // A busy machine may be late by as much as it likes; early is what the port may not be.
            return EventLoop(port: CheckedPort(try EpollPort(), latenessMaxNanoseconds: .max), limits: limits)
        } catch { trap("no epoll port: \(error)") }
    }

    func makeStream(for use: Direction) -> StreamEnds {
        switch kind {
        case .unixSockets: Descriptors.socketPair()
        case .tcpSockets: Descriptors.tcpPair()
        case .pipes: Descriptors.pipe(near: use)
        case .terminals: Descriptors.terminal()
        }
    }

    func makeDatagrams() -> StreamEnds? {
        switch kind {
        case .unixSockets, .tcpSockets: Descriptors.datagramPair()
        case .pipes, .terminals: nil
        }
    }

    // SAFETY: the array's own bytes, and its own count.
    func feed(_ far: NativeHandle, _ bytes: [UInt8]) {
        let count = unsafe write(far.descriptor, bytes, bytes.count)
        guard count == bytes.count else { trap("the far end took \(count) of \(bytes.count) bytes: error \(errno)") }
    }

    // SAFETY: the buffer has room for `max` bytes.
    func drain(_ far: NativeHandle, max: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: max) { buffer, count in
            count = unsafe Swift.max(0, read(far.descriptor, buffer.baseAddress, max))
        }
    }

    func close(_ handle: NativeHandle) { Glibc.close(handle.descriptor) }

    var openHandles: Int? { Descriptors.openCount() }
}

extension NativeHandle {
    var descriptor: Int32 { Int32(rawValue) }

    init(_ descriptor: Int32) { self.init(rawValue: Int(descriptor)) }
}
