import LoopCore
import _Concurrency

extension SerialPort {
    /// Stands over every call of this port for as long as a function runs: all of it may take `total`, and nothing may stand still for
    /// longer than `inactivity`, which a byte either way ends. When a limit is reached the call that waits throws
    /// ``SerialError/watchdog(_:)``, which says which limit it was, what was waited for, and what to look at.
    ///
    /// ```swift
    /// try await port.withWatchdog(total: .seconds(120), inactivity: .seconds(5)) { port throws(SerialError) in
    ///     for block in image { try await port.write(block); _ = try await port.readLine() }
    /// }
    /// ```
    ///
    /// Several may stand over a port at once; the strictest counts. A device that answers slowly and goes on answering is never taken for
    /// one that is stuck.
    public func withWatchdog<R>(
        total: Duration? = nil, inactivity: Duration? = nil, _ body: (isolated SerialPort) async throws(SerialError) -> R
    ) async throws(SerialError) -> R {
        let watchdog = Watchdog(total: total, inactivity: inactivity, stream.operations.now, stream.statistics)
        stream.watchdogs.append(watchdog)
        defer { stream.watchdogs.removeAll { $0 === watchdog } }
        return try await body(self)
    }
}
