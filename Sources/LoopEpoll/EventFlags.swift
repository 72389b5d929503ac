internal import CLoopEpoll
internal import Glibc
internal import LoopCore

/// What epoll reports of a descriptor, and what it is asked to report.
struct EventFlags: OptionSet {
    let rawValue: UInt32

    static let readable = EventFlags(rawValue: EPOLLIN.rawValue)
    static let priority = EventFlags(rawValue: EPOLLPRI.rawValue)
    static let writable = EventFlags(rawValue: EPOLLOUT.rawValue)
    static let failed = EventFlags(rawValue: EPOLLERR.rawValue)
    static let hangup = EventFlags(rawValue: EPOLLHUP.rawValue)
    /// The peer has shut down its writing side.
    static let peerFinished = EventFlags(rawValue: EPOLLRDHUP.rawValue)
    static let edgeTriggered = EventFlags(rawValue: EPOLLET.rawValue)

    /// What every descriptor is registered for, for life. Not ``writable``: with it, ptys and Unix sockets wake once for each write that
    /// the peer consumes (1000 of 1000, measured), though nobody here has anything to write.
    static let standing: EventFlags = [.readable, .peerFinished, .priority, .edgeTriggered]

    /// What may end a wait of the read direction: a hangup and a failure are what a read is going to say.
    static let forReads: EventFlags = [.readable, .peerFinished, .priority, .hangup, .failed]
    static let forWrites: EventFlags = [.writable, .hangup, .failed]

    /// With one of these a short read does not mean that the socket is empty; see ``DescriptorRecord/shortReadEmpties``.
    static let ending: EventFlags = [.peerFinished, .hangup, .failed, .priority]
}

extension Readiness {
    /// The bits of poll(2). A hangup and a failure are reported whether asked for or not.
    var pollBits: Int16 {
        var bits: Int32 = 0
        if contains(.readable) { bits |= POLLIN }
        if contains(.writable) { bits |= POLLOUT }
        if contains(.priority) { bits |= POLLPRI }
        return Int16(bits)
    }

    init(pollBits: Int) {
        let bits = Int32(truncatingIfNeeded: pollBits)
        self = []
        if bits & POLLIN != 0 { insert(.readable) }
        if bits & POLLOUT != 0 { insert(.writable) }
        if bits & POLLPRI != 0 { insert(.priority) }
        if bits & POLLHUP != 0 { insert(.hangup) }
        if bits & POLLERR != 0 { insert(.failed) }
    }
}
