import LoopCore

/// Where changes come from: a directory of the platform, or whatever a test puts in its place.
///
/// A source makes native calls and knows their records. It keeps no queue, waits for nothing, and tells nobody.
protocol ChangeSource: AnyObject {
    /// What the loop associates. It is the source's own, and is closed by ``close()`` alone, after the handle has been retired.
    var handle: NativeHandle { get }
    /// The buffer that one read is given.
    var readBytesMax: Int { get }

    /// Starts one read.
    func read(_ op: consuming PreparedOp) -> Decision

    /// Visits what a read brought, in its order.
    func forEachChange(_ completion: Completion, _ bytes: RawSpan, _ visit: (Change) -> Void)

    /// What the system's refusal to go on reading says of the directory; nil where it is a failure.
    func ending(after code: SystemCode) -> WatchEnding?

    /// What has become of the directory, where the kernel lost records: that of its end may have been among them.
    func endingAfterLoss() -> WatchEnding?

    /// Gives the handle back to the system. Called once.
    func close()
}

/// One record of the kernel's, as far as it matters here.
enum Change: Hashable, Sendable {
    case created(FileName)
    case removed(FileName)
    case modified(FileName)
    case attributesChanged(FileName)
    /// Half of a rename, or a move to elsewhere. The number is the same in the other half.
    case movedFrom(FileName, UInt32)
    /// The other half, or a move from elsewhere.
    case movedTo(FileName, UInt32)
    case lost(RescanReason)
    case gone(WatchEnding)
    case failed(SystemCode)
}
