/// The signals of a loop: one watch of the system's for all streams, and a queue for each. It belongs to the loop's thread.
final class SignalHub {
    private var queues: [SignalQueue] = []
    private var watch: (any SignalWatch)?
    private var handle: AssociatedHandle?

    /// Begins a stream.
    func listen(to signals: SignalSet, _ queue: SignalQueue, _ ops: Operations) throws(SignalError) {
        guard !signals.isEmpty else { throw .noSignals }
        guard !ops.core.isClosing else { throw .closed }
        guard let system = ops.core.port.system else { throw .notSupported }
        if let watch {
            try watch.change(to: all.union(signals))
        } else {
            let made = try system.watchSignals(signals)
            do throws(SignalError) {
                try begin(made, ops)
            } catch {
                made.close()
                throw error
            }
            watch = made
        }
        queues.append(queue)
    }

    /// Ends a stream: whoever waits there is told, and what nobody listens to does again what it did before.
    func end(_ queue: SignalQueue, _ ops: Operations) {
        guard let place = queues.firstIndex(where: { $0 === queue }) else { return }
        queues.remove(at: place)
        queue.end(ops.core)
        guard queues.isEmpty else {
            // Fewer signals than before: nothing that could be refused.
            _ = try? watch?.change(to: all)
            return
        }
        stop(ops)
    }

    /// The loop has ended, and its port has been closed.
    func close() {
        queues = []
        watch?.close()
        watch = nil
    }

    private var all: SignalSet { queues.reduce(SignalSet()) { $0.union($1.signals) } }

    private func begin(_ watch: any SignalWatch, _ ops: Operations) throws(SignalError) {
        guard let native = watch.pollableHandle else {
            let loop = ops.loop
            do throws(SystemRefusal) {
                return try watch.notify { loop.post { loop in loop.core.signals.deliver(loop.core) } }
            } catch {
                throw .system(error.code)
            }
        }
        do throws(AssociationError) { handle = try ops.associate(native, options: .setNonblocking) } catch { throw .association(error) }
        poll(ops)
    }

    /// Waits for the next signal, without a fiber: a `run` does not wait for it.
    private func poll(_ ops: Operations) {
        guard let handle else { return }
        _ = try? ops.perform(on: handle) { op in
            op.poll(.readable)
        } completed: { id, end in
            // Where nobody has taken it, the ledger keeps what became of it.
            _ = try? ops.free(id)
            guard end == .finished, ops.isAssociated(handle), !ops.core.isClosing else { return }
            ops.core.signals.deliver(ops.core)
            ops.core.signals.poll(ops)
        }
    }

    /// Takes what has come, for everybody who listens to it.
    private func deliver(_ core: Core) {
        while let signal = watch?.take() {
            for queue in queues where queue.signals.includes(signal) { queue.add(signal, core) }
        }
    }

    private func stop(_ ops: Operations) {
        let watch = watch
        self.watch = nil
        guard let handle else {
            watch?.close()
            return
        }
        self.handle = nil
        // The poll under way is what the retire ends.
        do throws(OperationError) { try ops.retire(handle) { _ in watch?.close() } } catch { watch?.close() }
    }
}

/// The signals that one stream has not handed out, each once: as with the kernel's own, a second one that comes before the first is taken
/// is the same. It belongs to the loop's thread.
final class SignalQueue: Sendable {
    let signals: SignalSet
    private nonisolated(unsafe) var pending: [Signal] = []
    private nonisolated(unsafe) var isEnded = false
    private nonisolated(unsafe) let list = WaitList()
    private let interrupts: Interrupted

    init(_ signals: SignalSet, interrupts: Interrupted = .nothing) {
        self.signals = signals
        self.interrupts = interrupts
    }

    // SAFETY: on the loop's thread.
    var waiters: WaitList { unsafe list }

    /// Whether a wait would be for nothing.
    // SAFETY: on the loop's thread.
    var isSettled: Bool { unsafe isEnded || !pending.isEmpty }

    // SAFETY: on the loop's thread.
    func add(_ signal: Signal, _ core: Core) {
        if interrupts == .run { core.interruptions += 1 }
        if unsafe !pending.contains(signal) { unsafe pending.append(signal) }
        core.wakeFirst(of: waiters)
    }

    /// The oldest of them; nil where there is none.
    // SAFETY: on the loop's thread.
    func take() -> Signal? { unsafe pending.isEmpty ? nil : pending.removeFirst() }

    // SAFETY: on the loop's thread.
    func end(_ core: Core) {
        unsafe isEnded = true
        core.wakeAll(of: waiters)
    }

    /// Whether the stream has ended. On the loop's thread.
    // SAFETY: on the loop's thread.
    var hasEnded: Bool { unsafe isEnded }
}

/// What a signal ends by itself.
enum Interrupted: UInt8 {
    case nothing
    case run
}
