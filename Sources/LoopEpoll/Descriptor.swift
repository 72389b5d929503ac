internal import CLoopEpoll
internal import LoopCore

/// What the port knows of one association. The record stays at its address for the port's life and serves one association after another;
/// ``word`` says which one it is now.
///
/// What an event and a read look at comes first, and is a cache line; what a write looks at begins the second.
struct DescriptorRecord {
    /// The key of the association, in the form that epoll hands back; ``free`` while there is none.
    var word = DescriptorRecord.free
    var fd: Int32 = -1
    /// What the kernel was last asked to report.
    var registered: EventFlags = []
    /// Those of ``EventFlags/ending`` that the last event carried: an event tells the whole state of its moment, and a later change is an
    /// event of its own.
    var ending: EventFlags = []
    var kind = DescriptorKind.file
    /// ``AssociationOptions/shortReadsEmpty``
    var vouchesForShortReads = false
    /// ``AssociationOptions/drainsBetweenWaits``
    var drainsBetweenWaits = false
    /// An event came that the readiness waiters have not been checked against.
    var waitersAreDue = false
    /// On the list of those that are retried on a timer.
    var isThrottled = false
    /// On the agenda, and who is next there.
    var isOnAgenda = false
    var nextOnAgenda: Reference<DescriptorRecord>?
    fileprivate var readLane = LaneRecord(maybeReady: false)

    fileprivate var writeLane = LaneRecord(maybeReady: true)
    /// Readiness waiters, outside the lanes.
    var waiters = ParkingLot()
    var object: KernelObject?

    /// No key's word: a slot this high does not exist.
    static let free = UInt64.max

    /// Whether a read that brought less than it asked for has emptied the descriptor, so that the next one need not be tried.
    ///
    /// Only on TCP, and where the caller vouches for it: a Unix socket ends a read where a passed descriptor begins, a pipe where a packet
    /// ends if its writer opened it with O_DIRECT, a terminal that is not raw where a line ends. And only while nothing else ends a read
    /// early or shares its edge with data: the end of the stream comes with the last bytes as one edge (a port that stopped at the short
    /// read never saw it), and a read stops in front of urgent data though more follows.
    var shortReadEmpties: Bool { (kind == .tcp || vouchesForShortReads) && ending.isEmpty }
}

typealias Descriptor = Reference<DescriptorRecord>

extension Descriptor {
    // SAFETY: of this record, and good for as long.
    @inline(__always)
    var reads: Lane { unsafe Lane(place(of: \.readLane)) }

    // SAFETY: as above.
    @inline(__always)
    var writes: Lane { unsafe Lane(place(of: \.writeLane)) }

    /// Has the processor fetch what an event, a read and a write look at.
    // SAFETY: a hint, which follows no pointer.
    @inline(__always)
    func prefetch() { unsafe Native.prefetch(address, lines: 2) }

    func lane(_ direction: Direction) -> Lane {
        switch direction {
        case .read: reads
        case .write: writes
        }
    }
}

/// What is behind a descriptor, as far as it makes a difference to a verb.
enum DescriptorKind: UInt8 {
    case tcp
    case streamSocket
    /// Messages that are never split nor joined: UDP, SOCK_DGRAM, SOCK_SEQPACKET.
    case messageSocket
    /// The same in the Unix domain, where a full queue of somebody else's can be what refuses a message.
    case unixMessageSocket
    /// Pipes, terminals, eventfd and the like.
    case stream
    /// What epoll refuses, because it is always ready: regular files, block devices, /dev/null. Its calls go to ``FileWorkers``.
    case file

    /// For what epoll has accepted.
    init(fd: Int32, _ object: KernelObject) {
        guard object.isSocket else {
            self = .stream
            return
        }
        let isUnix = Native.socketOption(fd, SO_DOMAIN).isCount(AF_UNIX)
        guard Native.socketOption(fd, SO_TYPE).isCount(Int32(SOCK_STREAM.rawValue)) else {
            self = isUnix ? .unixMessageSocket : .messageSocket
            return
        }
        // Also MPTCP, SCTP and whatever else is a stream: only TCP itself is known to empty the socket by a short read.
        let isTCP = !isUnix && Native.socketOption(fd, SO_PROTOCOL).isCount(Int32(IPPROTO_TCP))
        self = isTCP ? .tcp : .streamSocket
    }

    @inline(__always)
    var isSocket: Bool { self != .stream && self != .file }
    /// Bytes in order, as many at a time as there is room for.
    @inline(__always)
    var isStream: Bool { !hasMessages && self != .file }
    @inline(__always)
    var hasMessages: Bool { self == .messageSocket || self == .unixMessageSocket }
}

extension Answer {
    fileprivate func isCount(_ expected: Int32) -> Bool {
        guard case .count(let count) = self else { return false }
        return count == Int(expected)
    }
}
