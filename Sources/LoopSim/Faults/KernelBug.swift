/// What no kernel and no port may do. Each breaks one clause of the contract, and the campaigns must find out.
public enum KernelBug: UInt8, Hashable, Sendable, CaseIterable {
    /// C2: a buffer is written to after the aborted packet of its operation was handed out.
    case writesAfterPacket
    /// C1: the packet of a cancelled operation never comes.
    case dropsCancelledPacket
    /// C3: a cancel is answered as if it had gone out, and goes nowhere.
    case ignoresCancels
    /// C1: a packet never comes.
    case dropsPacket
    /// C1: a packet comes twice at once.
    case doublesPacket
    /// C6: a packet comes again, when its record may be somebody else's.
    case repeatsPacketLater
    /// C13: operations belong to the number of a handle, and follow it to the next object.
    case followsNumbers
    /// C4: an aborted operation counts zero bytes.
    case forgetsAbortedCount
    /// Waits: a deadline less than a millisecond away is rounded down to none.
    case truncatesTimeouts
    /// Waits: a wake does nothing.
    case losesWakes
}
