internal import CLoopEpoll
internal import LoopCore
internal import Synchronization

/// Which port of this process has which descriptor: so that a second one can say so, and so that a number closed without a word is
/// recognised when it comes again.
///
/// Best effort: epoll itself takes a descriptor any number of times. Any thread may call any function here.
final class Bindings: Sendable {
    static let shared = Bindings()

    private let entries = Mutex<[Int32: Binding]>([:])

    func find(_ fd: Int32) -> Binding? {
        guard let found = entries.withLock({ $0[fd] }), found.forkCount == Native.forkCount else { return nil }
        return found
    }

    func record(_ fd: Int32, _ binding: Binding) {
        entries.withLock { $0[fd] = binding }
    }

    /// Forgets the binding of a descriptor, unless somebody else has it by now.
    func forget(_ fd: Int32, port: PortNumber, key: HandleKey) {
        entries.withLock { if $0[fd]?.port == port, $0[fd]?.key == key { $0[fd] = nil } }
    }

    func forgetAll(of port: PortNumber) {
        entries.withLock { entries in entries = entries.filter { $0.value.port != port } }
    }
}

struct Binding {
    let port: PortNumber
    let key: HandleKey
    let object: KernelObject
    /// A fork has the table of its parent, but none of its parent's ports.
    let forkCount: UInt32
}

/// A port's identity within the process. Unlike an address it is not used again.
struct PortNumber: Hashable {
    private let rawValue: UInt64

    private static let last = Atomic<UInt64>(0)

    init() { rawValue = PortNumber.last.add(1, ordering: .relaxed).newValue }
}

/// What fstat(2) tells of the object behind a descriptor.
struct KernelObject {
    private let identity: portloop_identity

    init(fd: Int32) throws(SystemError) { identity = try Native.identify(fd) }

    var isDirectory: Bool { format == UInt32(S_IFDIR) }

    func kind(_ fd: Int32) -> DescriptorKind { DescriptorKind(fd: fd, identity: identity) }

    /// Whether both are one object beyond doubt. An eventfd, a timerfd and their like share one inode and have no file type: of them
    /// nothing can be said.
    func isCertainly(_ other: KernelObject) -> Bool {
        format != 0 && identity.device == other.identity.device && identity.inode == other.identity.inode
    }

    private var format: UInt32 { identity.mode & UInt32(S_IFMT) }
}
