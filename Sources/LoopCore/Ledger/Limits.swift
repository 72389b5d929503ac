/// Everything has a limit. Each has a name, a unit and a reason, and each can be set when the loop is made.
public struct Limits: Hashable, Sendable {
    /// Operations in flight on the loop, orphans included. 65,536: two per connection at 32,000 connections.
    public var operationsMax = 65_536
    /// Buffer bytes in flight on the loop. 256 MiB: memory lent to a kernel cannot be paged out on Windows, so it must stay a small part.
    public var bytesMax = 256 << 20
    /// Operations in flight on one handle. 4,096: one stuck driver must not use up the loop's share.
    public var operationsPerHandleMax = 4_096
    /// Buffer bytes in flight on one handle. 64 MiB, for the same reason.
    public var bytesPerHandleMax = 64 << 20
    /// Kinds of operation on one handle. 64: one for each line of an adapter that begins operations, and far from one for each operation.
    public var kindsPerHandleMax = 64
    /// Handles associated at once. About a million: the usual hard limit on descriptors.
    public var handlesMax = 1 << 20
    /// Buffer bytes that free records of 64 KiB and more may keep for reuse. 16 MiB: one of the largest.
    public var idleBytesMax = 16 << 20

    /// Packets taken from the port at a time. 256: a batch fits the first-level cache, and the peers' choices lie between 64 and 1,024.
    public var packetsPerBatchMax = 256
    /// Jobs run between two looks at the port. 256 jobs of 200 ns are 50 µs.
    public var jobsPerTurnMax = 256
    /// Time that jobs may take between two looks at the port, looked at every ``jobsPerClockRead`` jobs. 250 µs: with a batch on either
    /// side an I/O completion waits less than 1 ms.
    public var jobNanosecondsPerTurnMax: UInt64 = 250_000
    /// Timers fired between two looks at the port. 1,024 of 200 ns are 200 µs.
    public var timersPerTurnMax = 1_024
    /// Inline completions in a turn; further ones go through the queue, so that a fiber whose operations all finish at once still
    /// suspends. 256: as many as packets in a batch.
    public var inlineCompletionsMax = 256

    /// How long a cancelled operation's packet is waited for before the driver counts as stuck. For as long again at most while the port's
    /// batches are full, behind which it may lie.
    public var cancelGraceNanoseconds: UInt64 = 2_000_000_000
    /// How long a shutdown waits for cancelled fibers, which may still flush and say goodbye. 1 s: a person who has pressed Ctrl-C waits.
    public var cleanUpBoundNanoseconds: UInt64 = 1_000_000_000
    /// How long a shutdown waits for packets before it leaks what is left.
    public var shutdownBoundNanoseconds: UInt64 = 1_000_000_000

    /// Threads for work that blocks. 4: they wait, and do not compute; more than one, so that a name server that does not answer holds up
    /// no file.
    public var offloadThreadsMax = 4
    /// Pieces of work that wait for such a thread. 1,024: at 1 ms each the last of them waits a quarter of a second.
    public var offloadQueueMax = 1_024
    /// How long a shutdown waits for such threads to finish what they do. 100 ms: what takes longer may take for ever.
    public var offloadStopBoundNanoseconds: UInt64 = 100_000_000

    public init() {}

    /// The most bytes one operation may carry: 16 MiB, far above what one system call moves at once.
    public static let capacityMax = 16 << 20
    /// A clock reading costs about 20 ns; at one in sixteen jobs that is about 1 ns a job.
    static let jobsPerClockRead = 16
    /// Time for which jobs may run before the port is asked again, if a turn of theirs comes to its end sooner. 10 µs: a hundredth of what
    /// an I/O completion may wait.
    static let lookNanosecondsMin: UInt64 = 10_000
    /// Turns in a row that may go without a look, where the clock stands still, as a simulated one does. 16: as with clock reads.
    static let looksPutOffMax = 16
    /// Fibers whose tasks stay in the second-level cache with all they touch, some 2.5 KiB each. With more, each is fetched ahead.
    static let fibersInCacheMax = 128
    /// What is fetched of a task: it, and its first frames, which the runtime allocates with it. 21 cache lines; with 28 less was won.
    static let taskBytesFetched = 1_344
}
