public import LoopCore

/// What a port brings to the contract suite: loops on it, and things to do input and output on.
///
/// One conformance for each kind of handle (sockets, pipes, ptys, simulated streams …). What a kind lacks it answers with nil; the cases
/// that need it are then reported as not applicable, by name.
public protocol ContractFixture: AnyObject {
    /// For the report: "epoll, pipes".
    var name: String { get }

    /// A new loop on a new port, on the calling thread.
    func makeLoop(_ limits: Limits) -> EventLoop

    /// Two connected ends. The loop gets `near`, which must be able to do what it is for; the suite moves bytes at `far`.
    func makeStream(for use: Direction) -> StreamEnds

    /// Whether bytes that were fed before the far end was closed can still be read. A terminal drops them.
    var keepsBytesAtHangUp: Bool { get }

    /// Two connected datagram ends, or nil.
    func makeDatagrams() -> StreamEnds?

    /// Writes at the far end; MUST take all of it.
    func feed(_ far: NativeHandle, _ bytes: [UInt8])

    /// Reads what is there at the far end, at most `max` bytes, without waiting.
    func drain(_ far: NativeHandle, max: Int) -> [UInt8]

    /// Closes a handle. On the near end the loop is not told.
    func close(_ handle: NativeHandle)

    /// Handles this fixture has open, to see that none was leaked; nil where that cannot be counted.
    var openHandles: Int? { get }
}

/// Two ends of a connection.
public struct StreamEnds: Sendable {
    /// The loop's end.
    public let near: NativeHandle
    /// The suite's end.
    public let far: NativeHandle

    /// A connection of two handles.
    public init(near: NativeHandle, far: NativeHandle) {
        self.near = near
        self.far = far
    }
}

/// One case of the contract: a clause, a sentence, and a plain function that any port can run.
public struct ContractCase: Sendable {
    /// "C1" to "C15".
    public let clause: String
    /// What holds.
    public let sentence: String
    let limits: Limits
    let body: @Sendable (ContractRun) throws(CaseFailure) -> Void

    init(
        _ clause: String, _ sentence: String, limits: Limits = ContractRun.limits,
        _ body: @escaping @Sendable (ContractRun) throws(CaseFailure) -> Void
    ) {
        self.clause = clause
        self.sentence = sentence
        self.limits = limits
        self.body = body
    }

    /// Both: what a report names the case by.
    public var name: String { "\(clause) \(sentence)" }
}

/// What a case found.
public enum ContractResult: Hashable, Sendable {
    case passed
    case failed([String])
    /// The fixture lacks what the case needs.
    case notApplicable(String)
}

/// Ends a case early: what it relies on did not hold.
public enum CaseFailure: Error, Hashable, Sendable {
    case failed(String)
    case notApplicable(String)
}
