internal import LoopCore
internal import Synchronization

/// Which port of this process has which descriptor, so that a second one can say so.
///
/// Best effort: epoll itself takes a descriptor any number of times. An entry is only a hint, because a number may have been closed
/// without a word; whether it still holds, the kernel is asked. Any thread may call any function here.
final class Bindings: Sendable {
    static let shared = Bindings()

    private let entries = Mutex<[Int32: Binding]>([:])

    /// Whether another port watches the open file that the number names now.
    func isElsewhere(_ fd: Int32, than port: Binding) -> Bool {
        guard let found = entries.withLock({ $0[fd] }), found.port != port.port, found.epoll != port.epoll,
            found.forkCount == port.forkCount
        else { return false }
        return Native.isWatched(fd, by: found.epoll)
    }

    func record(_ fd: Int32, _ binding: Binding) {
        entries.withLock { $0[fd] = binding }
    }

    /// Forgets the binding of a descriptor, unless another port has it by now.
    func forget(_ fd: Int32, port: PortNumber) {
        entries.withLock { if $0[fd]?.port == port { $0[fd] = nil } }
    }

    func forgetAll(of port: PortNumber) {
        entries.withLock { entries in entries = entries.filter { $0.value.port != port } }
    }
}

struct Binding {
    let port: PortNumber
    let epoll: Int32
    /// A fork has the table of its parent, but none of its parent's ports.
    let forkCount: UInt32
}

/// A port's identity within the process. Unlike an address it is not used again.
struct PortNumber: Hashable {
    private let rawValue: UInt64

    private static let last = Atomic<UInt64>(0)

    init() { rawValue = PortNumber.last.add(1, ordering: .relaxed).newValue }
}
