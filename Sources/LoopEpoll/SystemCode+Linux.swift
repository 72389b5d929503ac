internal import Glibc
internal import LoopCore

// Error numbers of Linux (errno(3)), and what they mean for a completion.

extension SystemCode {
    static let tryAgain = SystemCode(rawValue: EAGAIN)
    static let badDescriptor = SystemCode(rawValue: EBADF)
    static let invalid = SystemCode(rawValue: EINVAL)
    static let notPermitted = SystemCode(rawValue: EPERM)
    static let exists = SystemCode(rawValue: EEXIST)
    static let notImplemented = SystemCode(rawValue: ENOSYS)
    static let brokenPipe = SystemCode(rawValue: EPIPE)
    static let interrupted = SystemCode(rawValue: EINTR)
    static let inProgress = SystemCode(rawValue: EINPROGRESS)
    static let notConnected = SystemCode(rawValue: ENOTCONN)
    static let messageSize = SystemCode(rawValue: EMSGSIZE)
    static let notSeekable = SystemCode(rawValue: ESPIPE)
    static let inputOutput = SystemCode(rawValue: EIO)
    static let cancelled = SystemCode(rawValue: ECANCELED)
    /// What a verb answers in a fork of the process that made the port: "no child" fits, and no call of the verbs ever says it.
    static let forked = SystemCode(rawValue: ECHILD)
    static let noSuchProcess = SystemCode(rawValue: ESRCH)
    static let noChild = SystemCode(rawValue: ECHILD)
    static let portClosed = SystemCode(rawValue: ESHUTDOWN)

    /// Whether `accept` failed for want of something that others give back: descriptors or memory. No edge tells when they do.
    var isShortage: Bool { [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(rawValue) }

    /// Whether `accept` reports the end of a connection that was waiting, rather than a failure of its own. accept(2): "Linux accept
    /// passes already-pending network errors on the new socket … treat them like EAGAIN by retrying". EOPNOTSUPP is on that list too,
    /// but a socket that does not listen says it for ever.
    var isOfPendingConnection: Bool {
        [ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT].contains(rawValue)
    }

    /// The status word of a packet is the error number itself here.
    var status: RawStatus { RawStatus(rawValue: UInt32(bitPattern: rawValue)) }
}

extension Completion {
    static func success(_ count: Int) -> Completion { Completion(count: count) }

    static func failure(_ code: SystemCode, count: Int = 0) -> Completion {
        Completion(count: count, error: code, status: code.status, severity: .error)
    }

    /// The bytes are good, and there were more.
    static func cut(_ count: Int) -> Completion {
        Completion(count: count, error: .messageSize, status: SystemCode.messageSize.status, severity: .warning)
    }

    /// Ended by a cancel, after `count` bytes.
    static func aborted(count: Int) -> Completion {
        Completion(count: count, error: .cancelled, status: SystemCode.cancelled.status, severity: .aborted)
    }
}
