public import _Concurrency

/// The signals that a loop takes: ``EventLoop/signals(_:)``. It ends with ``end()``, with the loop, or when nobody has it any more.
///
/// Every stream hears every signal it was made for. Of one stream each signal goes to one of those who wait in ``next(isolation:)``.
public final class SignalStream: Sendable {
    /// The loop that takes the signals.
    public let loop: EventLoop
    let queue: SignalQueue

    init(_ loop: EventLoop, _ queue: SignalQueue) {
        self.loop = loop
        self.queue = queue
    }

    /// Waits for the next signal; nil when the stream has ended. On the loop.
    public func next(isolation: isolated (any Actor)? = #isolation) async throws(WaitError) -> Signal? {
        let (core, queue) = (loop.core, queue)
        while true {
            if let signal = queue.take() { return signal }
            if queue.hasEnded { return nil }
            let wakeup = await loop.park(in: queue.waiters, until: nil, for: .signal) {
                // Between the look and the place in the list anything may happen.
                if queue.isSettled { core.wakeFirst(of: queue.waiters) }
            }
            switch wakeup {
            case .signalled: continue
            case .timedOut: throw .timedOut
            case .cancelled: throw .cancelled
            case .closed: return nil
            }
        }
    }

    /// Ends the stream: whoever waits is told, and a signal that nobody else listens to does again what it did before. Harmless twice, and
    /// from any thread.
    public func end() { SignalStream.end(queue, loop) }

    private static func end(_ queue: SignalQueue, _ loop: EventLoop) {
        loop.post { loop in loop.core.signals.end(queue, loop.operationsOnThisThread()) }
    }

    deinit { SignalStream.end(queue, loop) }
}

extension EventLoop {
    /// Takes signals on the loop from here on, instead of what they would do otherwise.
    ///
    /// ```swift
    /// let hangups = try loop.signals(.hangup)
    /// for try await _ in hangups { try await reload() }
    /// ```
    ///
    /// **Linux**: the signals are blocked in the loop's thread and read from a signalfd(2); when the last stream for one ends, the thread
    /// gets that part of its mask back. A signal sent to the process goes to any thread that does not block it. So whoever has other
    /// threads blocks the signals there too, most simply by calling this before he starts them, because a thread inherits the mask of the
    /// one that makes it. The loop's own threads block everything. A program that is started inherits the mask as well.
    ///
    /// **Windows**: the process's console handler takes them, whatever the threads do. After ``Signal/hangup`` and ``Signal/terminate`` the
    /// system grants the process a few seconds. ``Signal/user1`` and the like are ``SignalError/notSupported``.
    ///
    /// Two loops that listen to one signal share it: on Linux whichever reads first has it.
    public nonisolated func signals(_ signals: Signal...) throws(SignalError) -> SignalStream {
        let queue = SignalQueue(SignalSet(signals))
        try core.signals.listen(to: queue.signals, queue, operationsOnThisThread())
        return SignalStream(self, queue)
    }
}
