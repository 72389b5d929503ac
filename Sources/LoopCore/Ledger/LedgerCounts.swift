/// What the ledger counts. Plain integers, added to where things happen and read by nobody until asked.
public struct LedgerCounts: Hashable, Sendable {
    // Now. What a preparation adds to does not lie side by side: the compiler would add to both by one vector, at three times the cost.
    /// Records that are not free: what ``Limits/operationsMax`` bounds.
    public var inFlight = 0
    /// Owed a packet.
    public var submitted = 0
    /// Capacities of all that is in flight.
    public var bytesInFlight = 0
    /// Given up on, and still the kernel's.
    public var orphaned = 0

    // Ever.
    /// Operations prepared.
    public var preparedEver: UInt64 = 0
    /// Packets that settled an operation.
    public var packets: UInt64 = 0
    /// Operations whose result came without a packet.
    public var inlineCompletions: UInt64 = 0
    /// Operations given up on, whose packet may still come.
    public var orphanedEver: UInt64 = 0
    /// Orphans whose packet came after all.
    public var orphansReturned: UInt64 = 0
    /// Operations left to the kernel when the loop ended.
    public var leaked: UInt64 = 0
    /// Calls with an id that was dead.
    public var staleIDs: UInt64 = 0
    /// Calls with an id of another loop.
    public var foreignIDs: UInt64 = 0
    /// Packets for an address or a record that owed none.
    public var stalePackets: UInt64 = 0
    /// Packets with a key of somebody else's.
    public var foreignPackets: UInt64 = 0
    /// Cancels that the system refused.
    public var refusedCancels: UInt64 = 0

    public init() {}
}
