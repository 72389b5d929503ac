import LoopCore
import StreamOps

/// One watchdog over a port: until when something must have come of it all, and how long nothing may move.
final class Watchdog {
    let number: Int
    private let total: Duration?
    private let inactivity: Duration?
    private let began: MonotonicInstant
    private let before: SerialStatistics
    private var lastMove: MonotonicInstant

    init(_ number: Int, total: Duration?, inactivity: Duration?, _ now: MonotonicInstant, _ statistics: SerialStatistics) {
        self.number = number
        self.total = total
        self.inactivity = inactivity
        (began, lastMove, before) = (now, now, statistics)
    }

    func moved(_ now: MonotonicInstant) { lastMove = now }

    /// The limit that is reached first, and when.
    private var next: (limit: WatchdogLimit, instant: MonotonicInstant)? {
        let end = total.map { (WatchdogLimit.total, began.advanced(by: $0)) }
        guard let silence = inactivity.map({ (WatchdogLimit.inactivity, lastMove.advanced(by: $0)) }) else { return end }
        guard let end else { return silence }
        return end.1 <= silence.1 ? end : silence
    }

    func left(_ now: MonotonicInstant) -> Duration? {
        next.map { .nanoseconds(now < $0.instant ? $0.instant.nanoseconds(since: now) : 0) }
    }

    /// What it says when a limit is reached; nil before.
    func report(_ now: MonotonicInstant, _ pending: SerialCall?, _ statistics: SerialStatistics) -> WatchdogReport? {
        guard let next, now >= next.instant else { return nil }
        return WatchdogReport(
            limit: next.limit, time: (next.limit == .total ? total : inactivity) ?? .zero, pending: pending,
            received: Int(statistics.bytesReceived - before.bytesReceived), sent: Int(statistics.bytesSent - before.bytesSent))
    }
}

extension SerialStream {
    /// The time that a wait may take: that of its call, and that of the watchdogs.
    func patience(_ deadline: Deadline) -> Duration? {
        guard deadline.isSet || !watchdogs.isEmpty else { return nil }
        let now = operations.now
        var shortest = deadline.left(now)
        for watchdog in watchdogs {
            if let left = watchdog.left(now) { shortest = min(shortest ?? left, left) }
        }
        return shortest
    }

    /// Throws if a watchdog's time is up.
    func checkWatchdogs(_ pending: SerialCall?) throws(SerialError) {
        guard !watchdogs.isEmpty else { return }
        let now = operations.now
        for watchdog in watchdogs {
            if let report = watchdog.report(now, pending, statistics) { throw .watchdog(report) }
        }
    }

    func noteMove() {
        guard !watchdogs.isEmpty else { return }
        let now = operations.now
        for watchdog in watchdogs { watchdog.moved(now) }
    }
}
