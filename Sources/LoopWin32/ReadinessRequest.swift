internal import CLoopWin32
internal import LoopCore

/// One question to the driver of sockets: which of these events has the socket? It is answered by a packet, at once if one is true already.
///
/// The OVERLAPPED comes first: its address is what the packet carries. The rest is the driver's too, until then; so a request whose handle
/// has been given up stays where it is until its packet has come.
@safe struct ReadinessRequest {
    var overlapped = portloop_win32_overlapped()
    var poll = portloop_win32_poll()
    /// Whose it is; of generation zero when that association is gone.
    var key: HandleKey
    /// What it asked for.
    var events: ReadinessEvents = []
    /// Taken back, to ask anew.
    var isCancelled = false
    var next: Reference<ReadinessRequest>?
    var previous: Reference<ReadinessRequest>?

    static let nobody = HandleKey(slot: 0, generation: 0)

    init() { key = ReadinessRequest.nobody }

    /// What the driver has written into the request. To be asked when its packet has come.
    var answer: ReadinessAnswer {
        let status = RawStatus(rawValue: UInt32(truncatingIfNeeded: overlapped.internal))
        if status.severity == .success { return poll.count > 0 ? .events(ReadinessEvents(rawValue: poll.entry.events)) : .none }
        return isCancelled ? .none : .failed(Completion(status: status, count: 0))
    }
}

/// What the driver said about a socket.
enum ReadinessAnswer {
    /// Nothing: the question was taken back.
    case none
    case events(ReadinessEvents)
    /// It could not answer.
    case failed(Completion)
}

/// The requests of a port: those that are with the driver, and those that may be used again.
struct ReadinessRequests {
    private var free: Reference<ReadinessRequest>?
    /// With the driver.
    private(set) var firstPending: Reference<ReadinessRequest>?

    mutating func take(for key: HandleKey) -> Reference<ReadinessRequest> {
        let request = free ?? Reference(allocating: ReadinessRequest())
        free = request.record.next
        request.record.key = key
        request.record.isCancelled = false
        request.record.previous = nil
        request.record.next = firstPending
        firstPending?.record.previous = request
        firstPending = request
        return request
    }

    mutating func giveBack(_ request: Reference<ReadinessRequest>) {
        let (previous, next) = (request.record.previous, request.record.next)
        if let previous { previous.record.next = next } else { firstPending = next }
        if let next { next.record.previous = previous }
        request.record.key = ReadinessRequest.nobody
        request.record.next = free
        free = request
    }

    /// Frees those that are nobody's. One that is with the driver is the driver's to write to.
    mutating func deallocate() {
        while let request = free {
            free = request.record.next
            request.deallocate()
        }
    }
}

/// What the driver knows of a socket. The corresponding constants are AFD_POLL_RECEIVE and its like.
struct ReadinessEvents: OptionSet {
    let rawValue: UInt32

    static let receive = ReadinessEvents(rawValue: UInt32(portloop_win32_poll_receive))
    static let receiveExpedited = ReadinessEvents(rawValue: UInt32(portloop_win32_poll_receive_expedited))
    static let send = ReadinessEvents(rawValue: UInt32(portloop_win32_poll_send))
    /// The peer has shut down its writing side.
    static let disconnect = ReadinessEvents(rawValue: UInt32(portloop_win32_poll_disconnect))
    /// The connection was reset.
    static let abort = ReadinessEvents(rawValue: UInt32(portloop_win32_poll_abort))
    /// The last handle of the socket was closed, here.
    static let localClose = ReadinessEvents(rawValue: UInt32(portloop_win32_poll_local_close))
    static let accept = ReadinessEvents(rawValue: UInt32(portloop_win32_poll_accept))
    static let connectFail = ReadinessEvents(rawValue: UInt32(portloop_win32_poll_connect_fail))

    /// Asked for whoever waits for what.
    static let always: ReadinessEvents = [.abort, .localClose, .connectFail]

    init(rawValue: UInt32) { self.rawValue = rawValue }

    init(_ interest: Readiness) {
        self = .always
        if interest.contains(.readable) { formUnion([.receive, .accept, .disconnect]) }
        if interest.contains(.writable) { insert(.send) }
        if interest.contains(.priority) { insert(.receiveExpedited) }
    }
}

extension Readiness {
    /// What the events mean to somebody who polls. A close of one's own is none of these.
    init(_ events: ReadinessEvents) {
        self = []
        if !events.isDisjoint(with: [.receive, .accept, .disconnect]) { insert(.readable) }
        if events.contains(.send) { insert(.writable) }
        if events.contains(.receiveExpedited) { insert(.priority) }
        if !events.isDisjoint(with: [.abort, .connectFail]) { formUnion([.hangup, .failed]) }
    }
}
