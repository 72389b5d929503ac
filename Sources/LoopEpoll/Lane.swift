internal import LoopCore

/// One direction of a descriptor: the operations that wait in order, and whether trying the first is worth a system call.
struct LaneRecord {
    /// Set by an edge, cleared by EAGAIN. While false an operation parks without a system call: the kernel owes an edge.
    var maybeReady: Bool
    /// The head of the lane is out: its function runs, or a worker has it. Nobody overtakes it.
    var isBusy = false
    var parked = ParkingLot()

    /// Whether the first of those that wait is worth a try.
    @inline(__always)
    var isWorthServing: Bool { maybeReady && !isBusy && !parked.isEmpty }

    /// Whether a newcomer may be tried at once.
    var isClear: Bool { parked.isEmpty && !isBusy }
}

typealias Lane = Reference<LaneRecord>
