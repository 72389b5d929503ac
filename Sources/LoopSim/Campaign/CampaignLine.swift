internal import LoopCore

/// One handle of a campaign, and what the model knows of the bytes that went through it.
final class CampaignLine {
    let kind: LineKind
    let near: NativeHandle
    let far: NativeHandle
    /// Where clients connect, on a listener's line.
    let address: SocketAddress
    /// Tells the bytes of this line from those of any other.
    let salt: UInt64
    var handle: AssociatedHandle?
    /// What renewed operations are of; made for the first of them.
    var renewals: OperationKind?
    var phase = Phase.unassociated
    var isClosed = false
    var isHungUp = false
    /// When a retire was asked for, and how overdue its answer is.
    var retirement: Promise?
    var retirements = 0
    /// Operations given up on whose packet came after all.
    var orphansReturned = 0

    /// Reads in the order in which they began, from the first whose packet has not come: the order in which they must get their bytes.
    var reads: [CampaignOperation] = []
    /// Bytes that were fed, and bytes that reads with packets account for.
    var fed = 0
    var consumed = 0
    /// Lengths of the messages that were fed and not yet received, on a datagram line.
    var messages: [Int] = []
    var messagesFed = 0
    var messagesConsumed = 0
    /// Writes in the order in which they began, and what has arrived at the far end.
    var writes: [CampaignOperation] = []
    var arrived: [UInt8] = []
    var writesEver = 0
    /// What nobody had read when the near end was closed.
    var leftover = 0
    /// What was handed to clients of a listener.
    var clients: [NativeHandle] = []

    enum Phase {
        case unassociated
        case associated
        case retiring
        case retired
    }

    init(_ kind: LineKind, near: NativeHandle, far: NativeHandle, address: SocketAddress, salt: UInt64) {
        self.kind = kind
        self.near = near
        self.far = far
        self.address = address
        self.salt = salt
    }

    /// Drops what refers back to this line: nothing more is compared.
    func letGo() {
        reads = []
        writes = []
    }

    /// The byte at a place of what is fed: any other place, or line, most likely has another.
    func fedByte(_ place: Int) -> UInt8 { UInt8(truncatingIfNeeded: SimulatedRandom.mix(salt &+ UInt64(place))) }

    func fedBytes(_ range: Range<Int>) -> [UInt8] { range.map { fedByte($0) } }

    /// The bytes of the n-th write.
    func writtenBytes(_ write: Int, count: Int) -> [UInt8] {
        let base = SimulatedRandom.mix(salt ^ UInt64(write + 1) << 32)
        return (0..<count).map { UInt8(truncatingIfNeeded: SimulatedRandom.mix(base &+ UInt64($0))) }
    }

    /// What a file holds at the beginning, and where its writes begin: each in a place of its own.
    static let fileBytes = 256
    static let fileBytesPerWrite = 64
}

/// Something the loop must do by an instant, however late the turns come: seen due at the end of one turn, it is done two turns later.
struct Promise {
    let due: MonotonicInstant
    private var turnsSince = 0

    init(due: MonotonicInstant) { self.due = due }

    /// Looks after a turn. True once it is broken.
    mutating func isBroken(_ now: MonotonicInstant) -> Bool {
        guard now >= due else { return false }
        // One turn notices, one looks at the port once more before it gives up, and as often again as the batch was full.
        turnsSince += 1
        return turnsSince > 6
    }
}
