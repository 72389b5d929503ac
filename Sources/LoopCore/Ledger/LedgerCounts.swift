/// What the ledger counts. Plain integers, added to where things happen and read by nobody until asked.
public struct LedgerCounts: Hashable, Sendable {
    // Now.
    public var prepared = 0
    public var submitted = 0
    public var completed = 0
    public var orphaned = 0
    public var bytesInFlight = 0

    // Ever.
    public var preparedEver: UInt64 = 0
    public var packets: UInt64 = 0
    /// Operations whose result came without a packet.
    public var inlineCompletions: UInt64 = 0
    /// Operations given up on, whose packet may still come.
    public var orphanedEver: UInt64 = 0
    /// Orphans whose packet came after all.
    public var orphansReturned: UInt64 = 0
    /// Operations left to the kernel when the loop ended.
    public var leaked: UInt64 = 0
    /// Calls with an id that was dead, or another loop's.
    public var staleIDs: UInt64 = 0
    public var foreignIDs: UInt64 = 0
    /// Packets for an address or a record that owed none, and packets with a key of somebody else's.
    public var stalePackets: UInt64 = 0
    public var foreignPackets: UInt64 = 0
    /// Cancels that the system refused.
    public var refusedCancels: UInt64 = 0

    /// Records that are not free: what ``Limits/operationsMax`` bounds.
    public var inFlight: Int { prepared + submitted + completed + orphaned }

    public init() {}
}
