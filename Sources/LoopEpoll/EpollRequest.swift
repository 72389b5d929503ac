internal import LoopCore

// The life of an operation in this port:
//
//                    ┌────────────────────── done at once ─────────────────────┐
//   untouched ──verb─┼─► reads, writes ──drain──────────────────────────────────┼─► finished ──hand out──► (the ledger's again)
//      │             ├─► waiters ──edge─────────────────────────────────────────┤
//      │             ├─► fresh ──► running ──► withdrawn ───────────────────────┤
//      │             │               ▲ └─ would block ─► reads, writes           │
//      │             │               └──────────────────────┘                    │
//      │             └─► workers ───────────────────────────────────────────────┤
//      └─post────────────────────────────────────────────────────────────────────┘
//
//   untouched → reads, writes       [EpollPort.park: the kernel said EAGAIN, or others wait in front]
//   untouched → waiters             [EpollPort.poll]
//   untouched → fresh               [EpollPort.attempt, called by the function of another attempt]
//   untouched, fresh → running      [EpollPort.run]
//   reads, writes → running         [EpollPort.drain]
//   running → reads, writes         [EpollPort.settle: the function said that it would block]
//   running → withdrawn             [EpollPort.cancel: there is a packet once the function returns]
//   untouched → workers             [EpollPort.dispatch]
//   any → finished                  [EpollPort.finish; post leaves the place alone]

/// What the port keeps of an operation, in the operation's own control block: parking one allocates nothing.
///
/// The verb comes first, at ``ControlBlock/verbOffset``, where the ledger's zero says that no verb has touched the block. Everything
/// else is garbage until a verb initialises it, but for ``next`` and ``completion`` of a posted block.
@safe struct EpollRequest {
    var verb: Verb
    var place: Place
    /// What a waiter waits for.
    var interest: Readiness = []
    var traits: Traits
    let fd: Int32
    let key: HandleKey

    /// Links of the one list this operation is on.
    var next: Reference<EpollRequest>?
    var previous: Reference<EpollRequest>?

    let buffer: UnsafeMutableRawPointer?
    /// How many bytes are wanted, and how many of them are done.
    var length: Int
    var progress = 0
    var offset: UInt64
    let address: UnsafeMutablePointer<SocketAddress>?
    var work: Work
    var completion = Completion(count: 0)
}

/// An operation, by reference.
typealias Operation = Reference<EpollRequest>

/// What an operation does. The zero of an untouched control block reads as ``none``; see ``Layout``.
enum Verb: UInt8 {
    case none = 0
    case read
    case receive
    case accept
    case write
    case gather
    case send
    case connect
    /// A connect whose call was made and whose peer has not answered.
    case connecting
    case poll
    case attempt
}

/// Where an operation is, and so where a cancel finds it.
enum Place: UInt8 {
    case untouched = 0
    case reads
    case writes
    case waiters
    case fresh
    case running
    case withdrawn
    case workers
    case finished
}

/// Facts about an operation, in one byte: the record just fits into the control block.
struct Traits: OptionSet {
    let rawValue: UInt8

    /// The offset says where to begin. Without one a file's operations take turns at its position.
    static let hasOffset = Traits(rawValue: 1)
    /// A worker has begun the call. Guarded by the workers' gate.
    static let isBegun = Traits(rawValue: 2)
}

/// What some verbs need beyond plain fields. Given up before the packet is queued.
enum Work {
    case none
    /// The ranges of the buffer that a gathered write takes.
    case ranges([Range<Int>])
    /// The adapter's function.
    case body((NativeHandle) -> AttemptResult)
}

/// What the control block's layout must be for all this to hold. Constant-folded; checked when a port is made.
enum Layout {
    static var isRight: Bool {
        MemoryLayout<EpollRequest>.size <= ControlBlock.portBytes
            && MemoryLayout<EpollRequest>.alignment <= 8
            && MemoryLayout<EpollRequest>.offset(of: \.verb) == 0
            && MemoryLayout<SocketAddress>.offset(of: \.storage) == Layout.addressStorageOffset
            && noVerbByte == 0
    }

    static let addressStorageOffset = 8

    // SAFETY: both types have one byte, and every pattern of it is a UInt8.
    private static var noVerbByte: UInt8 { unsafe unsafeBitCast(Verb.none, to: UInt8.self) }
}
