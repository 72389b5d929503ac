internal import CLoopWin32
internal import LoopCore

/// What is behind a handle, as far as it makes a difference to a verb.
struct KernelObject: Equatable {
    enum Kind: UInt8 {
        case nothing
        /// TCP and its like.
        case streamSocket
        /// Messages that are never split nor joined: UDP.
        case messageSocket
        /// A named or anonymous pipe.
        case pipe
        /// What has places to seek to: its operations need an offset.
        case file
        case directory
        /// Serial ports and other devices.
        case device
    }

    let kind: Kind
    /// What a socket for a connection on this one is to be.
    let family: Int32
    let type: Int32
    let protocolNumber: Int32

    static let nothing = KernelObject(kind: .nothing, family: 0, type: 0, protocolNumber: 0)

    var isSocket: Bool { kind == .streamSocket || kind == .messageSocket }

    private init(kind: Kind, family: Int32, type: Int32, protocolNumber: Int32) {
        self.kind = kind
        self.family = family
        self.type = type
        self.protocolNumber = protocolNumber
    }

    /// Looks at a handle, and refuses one whose operations could hang.
    ///
    /// The order matters. A console is synchronous too, and its name is the better one; and no question that a driver answers is asked of a
    /// handle that turns out to be synchronous, because that would wait for whatever call is in progress on it.
    init(_ handle: NativeHandle) throws(AssociationError) {
        if Native.isConsole(handle) { throw .console }
        switch Native.mode(of: handle) {
        case .value(let mode) where mode & UInt32(portloop_win32_mode_synchronous) != 0: throw .notOverlapped
        case .failed(.invalidHandle): throw .badHandle
        case .value, .failed: break  // What is no file has no mode: the kernel will say so.
        }
        if Native.skipsPacketsOnSuccess(handle) { throw .skipsPackets }
        if let facts = Native.socketFacts(handle) {
            let kind = facts.type == Int32(portloop_win32_stream) ? Kind.streamSocket : .messageSocket
            self.init(kind: kind, family: facts.family, type: facts.type, protocolNumber: facts.protocol)
            return
        }
        self.init(kind: KernelObject.kind(of: handle), family: 0, type: 0, protocolNumber: 0)
    }

    /// What has no type that the system would tell is a device of its own kind; if it is nothing at all, the kernel is going to say so.
    private static func kind(of handle: NativeHandle) -> Kind {
        switch Native.fileType(handle) {
        case .value(UInt32(portloop_win32_type_disk)): Native.isDirectory(handle) ? .directory : .file
        case .value(UInt32(portloop_win32_type_pipe)): .pipe
        case .value, .failed: .device
        }
    }
}
