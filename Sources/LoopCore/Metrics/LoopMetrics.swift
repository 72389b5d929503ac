/// What a loop has counted since it was made.
public struct LoopMetrics: Sendable {
    /// Operations, now and ever.
    public var operations: LedgerCounts
    /// Operations that are prepared, and neither submitted nor abandoned.
    public var prepared: Int
    /// Operations that have completed, with a result that nobody has taken.
    public var completed: Int
    /// What the port counts about itself.
    public var port: PortMetrics
    /// Turns of the loop.
    public var turns: UInt64
    /// Jobs and posted calls run.
    public var jobs: UInt64
    /// Waits that were over before the task was suspended, because nobody else had anything to run.
    public var waitsInPlace: UInt64
    /// Times another thread had to wake the loop.
    public var wakeUps: UInt64
    /// Timers fired.
    public var timersFired: UInt64
    /// Timers that wait for their time.
    public var timersWaiting: Int
    /// Handles associated.
    public var handles: Int
    /// Work that was handed to other threads.
    public var offload: OffloadCounts
    /// Packets in a batch; batches without any are not in it.
    public var batches: Histogram
    /// Nanoseconds by which timers fired late.
    public var lateness: Histogram
    /// Nanoseconds between two looks at the port: how long a completion may have had to wait. Counted from the first time on that
    /// somebody reads the metrics: until then a turn that only waits reads the clock once, behind its look.
    public var lag: Histogram
}

/// The meters that run inside the machinery.
struct Meters {
    var turns: UInt64 = 0
    var jobs: UInt64 = 0
    var waitsInPlace: UInt64 = 0
    var wakeUps: UInt64 = 0
    var timersFired: UInt64 = 0
    var batches = Histogram()
    var lateness = Histogram()
    var lag = Histogram()
    /// Somebody has read the metrics, and may again.
    var measuresLag = false
    private var busySince: MonotonicInstant?

    /// The port is about to be asked.
    @inline(__always)
    mutating func endOfBusy(_ now: MonotonicInstant) {
        if let busySince { lag.add(now.nanoseconds(since: busySince)) }
    }

    /// The port has answered.
    @inline(__always)
    mutating func startOfBusy(_ now: MonotonicInstant, _ count: Int) {
        if measuresLag { busySince = now }
        turns &+= 1
        if count > 0 { batches.add(UInt64(count)) }
    }
}

extension Operations {
    /// What the loop has counted so far.
    ///
    /// The two states that are not counted as they change are counted here, by a walk: reading costs what not reading saves. Whoever reads
    /// has the lag counted from then on.
    public var metrics: LoopMetrics {
        core.meters.measuresLag = true
        var (prepared, completed) = (0, 0)
        ledger.slab.visit { cell in
            switch cell.record.state {
            case .prepared: prepared += 1
            case .completed: completed += 1
            case .free, .submitted, .taken, .orphaned: break  // Counted where they change, or nobody's.
            }
        }
        return LoopMetrics(
            operations: ledger.counts, prepared: prepared, completed: completed, port: core.port.portMetrics, turns: core.meters.turns,
            jobs: core.meters.jobs, waitsInPlace: core.meters.waitsInPlace,
            wakeUps: core.meters.wakeUps, timersFired: core.meters.timersFired, timersWaiting: core.timers.count,
            handles: ledger.handles.openCount, offload: core.offload.metrics, batches: core.meters.batches, lateness: core.meters.lateness,
            lag: core.meters.lag)
    }
}

extension EventLoop {
    /// What the loop has counted so far.
    public var metrics: LoopMetrics { operationsOnThisThread().metrics }

    /// Every operation in flight: handle, tag, state, age, and the source line that prepared it; and every fiber: name, age, and the line
    /// that spawned it.
    public func dump() -> LoopDump { operationsOnThisThread().dump() }

    /// The seam, for functions that are isolated to the loop itself.
    public var operations: Operations { operationsOnThisThread() }
}
