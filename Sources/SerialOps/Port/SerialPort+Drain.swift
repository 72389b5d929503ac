import LoopCore
import StreamOps
import _Concurrency

extension SerialPort {
    /// Waits until everything that was written has been sent. The loop goes on meanwhile, and the wait ends with its timeout or its task,
    /// whatever the other side's flow control does.
    public func drain(timeout: Duration? = nil) async throws(SerialError) {
        let deadline = Deadline.after(timeout, stream.operations)
        switch stream.device.drainStyle {
        case .blocks: try await drainByFlushing(deadline)
        case .asks: try await drainByAsking(deadline)
        }
    }

    private func drainByAsking(_ deadline: Deadline) async throws(SerialError) {
        var emptySince: MonotonicInstant?
        while true {
            let left = deadline.left(stream.operations.now)
            let state = try await control(.drain, left) { device throws(SerialError) in try device.sending() }
            if state.waiting == 0, state.isIdle != false { return }
            if state.waiting > 0 { emptySince = nil } else { emptySince = emptySince ?? stream.operations.now }
            if let emptySince, stream.settings.isSentSurely(emptySince, stream.operations.now) { return }
            guard left != .zero else { throw .timedOut(.drain, moved: 0) }
            try stream.checkWatchdogs(.drain)
            let pace = stream.settings.time(toSend: state.waiting)
            if let error = await waited(left.map { min($0, pace) } ?? pace), error != .timedOut {
                throw stream.ending ?? SerialError(error, .drain, moved: 0)
            }
        }
    }

    /// A flush ends when the driver pleases. Who waits for it leaves it to its thread when the time is up, when the task is cancelled, and
    /// when the port ends.
    private func drainByFlushing(_ deadline: Deadline) async throws(SerialError) {
        let stream = stream
        if let ending = stream.ending { throw ending }
        let flush = stream.beginFlush(deadline)
        while true {
            if let result = flush.result { return try result.get() }
            if let ending = stream.ending { throw ending }
            try stream.checkWatchdogs(.drain)
            do throws(WaitError) {
                try await stream.flushes.made(by: stream.operations).wait(timeout: stream.patience(deadline))
            } catch {
                try stream.checkWatchdogs(.drain)
                // A watchdog's time has been moved on by what was received meanwhile.
                if error == .timedOut, deadline.isAhead(stream.operations.now) { continue }
                throw stream.ending ?? SerialError(error, .drain, moved: 0)
            }
        }
    }
}

/// One flush of a driver's, and what became of it.
final class Flush {
    fileprivate(set) var result: Result<Void, SerialError>?
}

extension SerialStream {
    /// Starts to flush on a helper thread.
    fileprivate func beginFlush(_ deadline: Deadline) -> Flush {
        let (flush, device, left) = (Flush(), device, deadline.left(operations.now))
        let (me, its) = (Confined(self, of: operations), Confined(flush, of: operations))
        operations.loop.spawn(name: "drain a serial port") { loop async in
            let result: Result<Void, SerialError>
            do throws(OffloadError<SerialError>) {
                result = .success(try await loop.offload(timeout: left) { () throws(SerialError) in try device.flush() })
            } catch {
                result = .failure(SerialError(error, .drain))
            }
            its.on(loop).result = result
            me.on(loop).flushes?.wakeAll()
        }
        return flush
    }
}

extension SerialSettings {
    /// Whether a transmitter that was given the last byte then has sent it by now, whatever its driver says: some never say that it is
    /// idle. With flow control nobody knows.
    func isSentSurely(_ then: MonotonicInstant, _ now: MonotonicInstant) -> Bool {
        guard flowControl == .none else { return false }
        let bits = UInt64(SerialSettings.transmitterBytesMax) * UInt64(dataBits.rawValue + 4)
        return UInt64(max(0, now.nanoseconds(since: then))) > bits * 1_000_000_000 / UInt64(max(1, baud))
    }

    /// The largest memory of a transmitter that the kernel does not count: 2 KiB in the largest chips of FTDI.
    private static let transmitterBytesMax = 2_048

    /// About so long a number of bytes takes to be sent: a millisecond at least, so that nobody is asked more often, and fifty at most.
    func time(toSend bytes: Int) -> Duration {
        let bits = UInt64(max(0, bytes) + 1) * UInt64(dataBits.rawValue + 3)
        let nanoseconds = bits * 1_000_000_000 / UInt64(max(1, baud))
        return .nanoseconds(Int64(min(max(nanoseconds, 1_000_000), 50_000_000)))
    }
}
