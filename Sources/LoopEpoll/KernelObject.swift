internal import CLoopEpoll
internal import LoopCore

/// What fstat(2) tells of the object behind a descriptor.
struct KernelObject {
    private let identity: portloop_identity

    init(fd: Int32) throws(SystemError) { identity = try Native.identify(fd) }

    var isDirectory: Bool { format == UInt32(S_IFDIR) }

    var isSocket: Bool { format == UInt32(S_IFSOCK) }

    /// Whether both are one file, though perhaps opened twice.
    func isSameFile(as other: KernelObject) -> Bool {
        identity.device == other.identity.device && identity.inode == other.identity.inode
    }

    private var format: UInt32 { identity.mode & UInt32(S_IFMT) }
}
