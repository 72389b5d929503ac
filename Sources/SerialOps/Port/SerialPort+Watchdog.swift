import LoopCore
import _Concurrency

extension SerialPort {
    /// Stands over every call of this port for as long as a function runs: all of it may take `total`, and nothing may stand still for
    /// longer than `inactivity`, which a byte either way ends. When a limit is reached the call that waits throws
    /// ``SerialError/watchdog(_:)``, which says which limit it was, what was waited for, and what to look at.
    ///
    /// ```swift
    /// try await port.withWatchdog(total: .seconds(120), inactivity: .seconds(5)) {
    ///     for block in image { try await port.write(block); _ = try await port.readLine() }
    /// }
    /// ```
    ///
    /// Several may stand over a port at once; the strictest counts. A device that answers slowly and goes on answering is never taken for
    /// one that is stuck.
    public nonisolated(nonsending) func withWatchdog<R, E: Error>(
        total: Duration? = nil, inactivity: Duration? = nil, _ body: () async throws(E) -> R
    ) async throws(E) -> R {
        let watchdog = await beginWatch(total, inactivity)
        do throws(E) {
            let result = try await body()
            await endWatch(watchdog)
            return result
        } catch {
            await endWatch(watchdog)
            throw error
        }
    }

    private func beginWatch(_ total: Duration?, _ inactivity: Duration?) -> Int {
        stream.lastWatchdog += 1
        let watchdog = Watchdog(stream.lastWatchdog, total: total, inactivity: inactivity, stream.operations.now, stream.statistics)
        stream.watchdogs = stream.watchdogs + [watchdog]
        return watchdog.number
    }

    private func endWatch(_ number: Int) { stream.watchdogs = stream.watchdogs.filter { $0.number != number } }
}
