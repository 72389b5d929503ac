internal import CLoopWin32
internal import LoopCore

// The life of an operation in this port:
//
//                      ┌──────────────────── packet ─────────────────────┐
//   untouched ──verb───┼─► kernel ────────────────────────────────────────┼─► finished ──hand out──► (the ledger's again)
//      │               │     └─ an accept whose peer is gone: once more ┘ │
//      │               ├─► waiters, reads, writes ──ready────────────────┤
//      │               │        ▲     │                                  │
//      │               │        │     └─ a function ─► running ──────────┤
//      │               │        └──── would block ───────┘ └► withdrawn ─┤
//      │               └─► fresh ──► running                             │
//      └─classify─────────► kernel ───────────────────────────────────────┘
//
//   untouched → kernel              [Win32Port.submit, classify: the call owes a packet]
//   untouched → waiters             [Win32Port.awaitReadiness]
//   untouched → fresh               [Win32Port.attempt, called by the function of another attempt]
//   untouched, fresh → running      [Win32Port.run]
//   reads, writes → running         [Win32Port.serve: the driver says that the socket is ready]
//   running → reads, writes         [Win32Port.settle: the function said that it would block]
//   running → withdrawn             [Win32Port.cancel: there is a packet once the function returns]
//   kernel → kernel                 [Win32Port.acceptAgain]
//   any → finished                  [Win32Port.take, finish]

/// What the port keeps of an operation, in the operation's own control block, behind the OVERLAPPED: starting one allocates nothing.
///
/// The verb comes first, at ``ControlBlock/verbOffset``, where the ledger's zero says that no verb has touched the block. Everything else
/// is garbage until a verb initialises it.
@safe struct Win32Request {
    var verb: Verb
    var place: Place
    /// What a waiter waits for.
    var interest: Readiness = []
    var traits: Traits
    /// What Winsock calls the flags of a receive: the kernel's, both ways, until the packet.
    var receiveFlags: UInt32 = 0
    let handle: NativeHandle
    let key: HandleKey

    /// Links of the one list this operation is on.
    var next: Reference<Win32Request>?
    var previous: Reference<Win32Request>?

    let buffer: UnsafeMutableRawPointer?
    let length: UInt32
    let address: UnsafeMutablePointer<SocketAddress>?
    var work: Work
}

/// An operation, by reference.
typealias Operation = Reference<Win32Request>

/// What an operation does. The zero of an untouched control block reads as ``none``; see ``Layout``.
enum Verb: UInt8 {
    case none = 0
    case read
    case receive
    case accept
    case write
    case send
    case connect
    case poll
    case attempt
    /// An adapter's own call, with this control block.
    case native
}

/// Where an operation is, and so where a cancel finds it.
enum Place: UInt8 {
    case untouched = 0
    case kernel
    case waiters
    case reads
    case writes
    case fresh
    case running
    case withdrawn
    case finished
}

/// Facts about an operation, in one byte.
struct Traits: OptionSet {
    let rawValue: UInt8

    /// Its codes are Winsock's.
    static let isOnSocket = Traits(rawValue: 1)
    /// Somebody has asked for it to end: it is not started again.
    static let isCancelled = Traits(rawValue: 2)
    /// The request that is with the driver was made when this waiter was there already, so its answer is for it too.
    static let isAsked = Traits(rawValue: 4)
    /// For ``Win32Faults/trustsCancel``: what `CancelIoEx` said is taken for the outcome.
    static let isTakenForAborted = Traits(rawValue: 8)
    static let isTakenForGone = Traits(rawValue: 16)
}

/// What some verbs need beyond plain fields. Given up before the packet is handed out.
enum Work {
    case none
    /// The adapter's function.
    case body((NativeHandle) -> AttemptResult)
    /// The socket and the room for addresses of an accept.
    case room(Reference<AcceptRoom>)
    /// The pieces of a gathered write, put together. The kernel reads them until the packet.
    case copy(GatheredBytes)
}

/// What the layouts must be for all this to hold. Constant-folded; checked when a port is made.
enum Layout {
    static var isRight: Bool {
        MemoryLayout<portloop_win32_overlapped>.size <= ControlBlock.kernelBytes
            && MemoryLayout<portloop_win32_overlapped>.alignment <= 8
            && MemoryLayout<Win32Request>.size <= ControlBlock.portBytes
            && MemoryLayout<Win32Request>.alignment <= 8
            && ControlBlock.verbOffset == ControlBlock.kernelBytes
            && verbIsFirst && noVerbByte == 0
    }

    static let addressStorageOffset = 8

    // SAFETY: both types have one byte, and every pattern of it is a UInt8.
    private static var noVerbByte: UInt8 { unsafe unsafeBitCast(Verb.none, to: UInt8.self) }

    /// Swift lays fields out in their order, but does not promise it; Embedded Swift has no key paths to ask with.
    private static var verbIsFirst: Bool {
        let operation = Operation(allocating: .nobodys)
        defer { operation.deallocate() }
        return operation.firstByte == Verb.native.rawValue
    }
}

extension Win32Request {
    /// An operation of nobody, to look at.
    // SAFETY: no memory is lent to it.
    fileprivate static var nobodys: Win32Request {
        unsafe Win32Request(
            verb: .native, place: .untouched, traits: [], handle: .invalid, key: HandleKey(slot: 0, generation: 0), next: nil,
            previous: nil, buffer: nil, length: 0, address: nil, work: .none)
    }
}

extension Operation {
    // SAFETY: the record is initialised.
    fileprivate var firstByte: UInt8 { unsafe address.load(as: UInt8.self) }
}
