public import LoopCore
public import StreamOps

/// Why a call of a socket did not do what it was called for. Each case says what to do about it, in ``description``; the same thing is the
/// same case on every platform.
public enum SocketError: StreamFailure {
    /// The socket was closed on this side.
    case closed
    /// The other side has ended, and so many bytes are there, which are fewer than were asked for.
    case ended(received: Int)
    /// So many bytes came, and the end of the frame was not among them. They are still there to be read.
    case frameTooLong(limit: Int)
    /// The other side broke the connection off, or is gone.
    case reset
    /// Nobody listens there.
    case refused
    /// No way leads there.
    case unreachable
    /// The address has another user.
    case addressInUse
    /// The address is not this machine's.
    case addressNotAvailable
    /// There is no such socket in the file system.
    case notFound
    /// This user may not do that.
    case permissionDenied
    /// What was given is no address.
    case malformedAddress
    /// The name could not be looked up.
    case name(ResolveError)
    /// The time was up. Bytes that had been received are still there to be read; of a write so many bytes had left.
    case timedOut(SocketCall, moved: Int)
    /// The task was cancelled, with the same said about bytes.
    case cancelled(SocketCall, moved: Int)
    /// A datagram is longer than the network carries.
    case tooLong
    /// The system has no more sockets or memory to give.
    case exhausted
    /// The platform cannot do this.
    case notSupported(SocketCall)
    /// The system answers neither the call nor its cancel.
    case stuck(SocketCall)
    /// The loop did not take the operation.
    case loop(SocketCall, OperationError)
    /// The loop did not take the socket.
    case association(AssociationError)
    /// The system refused, with a code that has no case of its own.
    case system(SocketCall, SystemCode)
}

/// What was called.
public enum SocketCall: UInt8, Hashable, Sendable {
    case open
    case bind
    case listen
    case accept
    case connect
    case read
    case write
    case finishWriting
    case send
    case receive
    case option
    case close
    case address
}

extension SocketError: CustomStringConvertible {
    /// What happened, and what to do.
    public var description: String {
        switch self {
        case .closed: "the socket was closed on this side. Open another one."
        case .ended(let received): "the other side has ended, and \(received) bytes are all there is. Read them, or connect again."
        case .frameTooLong(let limit): "no end of a frame in \(limit) bytes. Read them, or allow longer frames."
        case .reset: "the other side broke the connection off. Connect again."
        case .refused: "nobody listens at that address. Start the server, or look at the port."
        case .unreachable: "no way leads to that address. Look at the network."
        case .addressInUse: "another socket has that address. End its program, or use another port."
        case .addressNotAvailable: "that address is not this machine's. Use one of its own, or `::`."
        case .notFound: "there is no socket of that name. Start the server, or look at the path."
        case .permissionDenied: "this user may not do that. Ports below 1024, and sockets of others, need a permission."
        case .malformedAddress: "that is no address. Write one as 192.0.2.7, 2001:db8::7, or a path of at most 107 bytes."
        case .name(let error): "the name was not found: \(error.words)."
        case .timedOut(let call, let moved): "the time was up in \(call.name), after \(moved) bytes."
        case .cancelled(let call, let moved): "the task was cancelled in \(call.name), after \(moved) bytes."
        case .tooLong: "the datagram is longer than the network carries. Send less at once."
        case .exhausted: "the system has no more sockets or memory. Close some, or raise its limits."
        case .notSupported(let call): "this platform cannot do this \(call.name)."
        case .stuck(let call): "the system answers neither \(call.name) nor its cancel. What it holds stays with it."
        case .loop(let call, let error): "the loop did not take \(call.name): \(error.words)."
        case .association(let error): "the loop did not take the socket: \(error.words)."
        case .system(let call, let code): "the system refused \(call.name) with code \(code.rawValue)."
        }
    }
}

extension SocketCall {
    /// The call's name, for sentences.
    public var name: StaticString {
        switch self {
        case .open: "open"
        case .bind: "bind"
        case .listen: "listen"
        case .accept: "accept"
        case .connect: "connect"
        case .read: "read"
        case .write: "write"
        case .finishWriting: "finishWriting"
        case .send: "send"
        case .receive: "receive"
        case .option: "option"
        case .close: "close"
        case .address: "address"
        }
    }
}

extension SocketError {
    init(_ error: WaitError, _ call: SocketCall, moved: Int = 0) {
        self =
            switch error {
            case .timedOut: .timedOut(call, moved: moved)
            case .cancelled: .cancelled(call, moved: moved)
            case .closed: .closed
            }
    }

    /// What the loop's refusal of an operation says.
    init(_ error: OperationError, _ call: SocketCall, moved: Int = 0) {
        self =
            switch error {
            case .cancelled: .cancelled(call, moved: moved)
            case .closed, .notAssociated: .closed
            case .stuck: .stuck(call)
            case .refused(let code): SocketError(code, call)
            default: .loop(call, error)
            }
    }

    init(_ error: ResolveError) {
        self =
            switch error {
            case .timedOut: .timedOut(.connect, moved: 0)
            case .cancelled: .cancelled(.connect, moved: 0)
            case .closed: .closed
            default: .name(error)
            }
    }
}

extension AssociationError {
    var words: String {
        switch self {
        case .alreadyAssociated: "it has it already"
        case .boundElsewhere: "another loop has it"
        case .tooMany(let limit): "it has \(limit) handles, which is its limit"
        case .closed: "it has been shut down"
        case .forked: "this process is a fork of the one that made it"
        case .notOverlapped, .blocking, .skipsPackets, .console, .directory, .badHandle: "it is no socket that a loop can use"
        case .system(let code): "the system refused it with code \(code.rawValue)"
        }
    }
}

extension ResolveError {
    fileprivate var words: String {
        switch self {
        case .nameNotFound: "there is no such name"
        case .noAddress: "it has no address of that kind"
        case .serviceNotFound: "there is no such service"
        case .temporaryFailure: "no server answered; try again later"
        case .permanentFailure: "a server failed"
        case .system(let code): "the system failed with code \(code.rawValue)"
        case .malformedName: "it is empty, too long, or has a zero in it"
        case .timedOut: "the time was up"
        case .cancelled: "the task was cancelled"
        case .closed: "the loop was shut down"
        case .queueFull(let limit): "\(limit) lookups wait already"
        case .notSupported: "this loop looks no names up"
        }
    }
}
