internal import Glibc
public import LoopCore

/// When so many packets have been handed out the kernel is asked again, though more are queued: who keeps the queue full must not keep
/// events out.
private let packetsPerPollMax = 256

extension EpollPort {
    // SAFETY: the batch is the caller's, for the time of the call.
    public func wait(into batch: UnsafeMutableBufferPointer<Packet>, for bound: WaitBound) -> Int {
        guard state.record.isOpen else { return 0 }
        state.record.brokenPipes.cover(Native.currentThread)
        let mayPutOffKernel = state.record.packetsSincePoll < packetsPerPollMax
        if mayPutOffKernel, state.record.dueOnAgenda > 0 { serveTheRest() }
        if state.record.ready.isEmpty || !mayPutOffKernel {
            askKernel(bound)
        } else if state.record.workers != nil {
            collectFromWorkers()
        }
        return unsafe handOut(into: batch)
    }

    /// A word to the processor for each line of the cache.
    // SAFETY: a hint, which follows no pointer.
    public func fetch(_ memory: UnsafeRawPointer, bytes: Int) { unsafe Native.prefetch(memory, lines: (bytes + 63) / 64) }

    /// Serves more of those whom the kernel's last answer is about, while there is nothing to hand out.
    private func serveTheRest() {
        trapIfForked()
        if !state.record.fresh.isEmpty { runFresh() }
        while state.record.ready.isEmpty, state.record.dueOnAgenda > 0 { serveAgenda() }
    }

    /// When ``wait(into:for:)`` has something to do that ``pollableHandle`` does not show: at once while packets are queued, events have
    /// not been followed or a long write goes on, later when a shortage is to be looked at again; nil if only the kernel knows.
    public var nextDeadline: MonotonicInstant? {
        hasWork ? MonotonicInstant(nanoseconds: 0) : state.record.retryAt
    }

    /// As many as there are, or as there is room for.
    // SAFETY: at most `batch.count` places are filled; a packet is trivial, so it makes no difference what was there.
    @inline(__always)
    private func handOut(into batch: UnsafeMutableBufferPointer<Packet>) -> Int {
        let filled = state.record.ready.take(max: batch.count) { index, operation in
            let packet = unsafe Packet(key: .operation, block: operation.block, completion: operation.record.completion)
            unsafe batch.initializeElement(at: index, to: packet)
        }
        state.record.packetsSincePoll += filled
        return filled
    }

    /// Looks at the kernel's queue and at everything that has fallen due: events first, which only set flags; then the operations that
    /// they are about; functions of adapters last in each, when nothing is half changed.
    @inline(__always)
    private func askKernel(_ bound: WaitBound) {
        trapIfForked()
        harvest(for: hasWork ? .poll : soonest(bound))
        state.record.packetsSincePoll = 0
        // Each asks first whether there is anything: with one connection a request is a turn, and pays for all of them.
        if state.record.workers != nil { collectFromWorkers() }
        if state.record.retryAt != nil { retryThrottled() }
        if !state.record.fresh.isEmpty { runFresh() }
        switch state.record.agenda.count {
        case 0: state.record.dueOnAgenda = 0
        case 1: serveOnlyOne()
        case let due:
            state.record.dueOnAgenda = due
            serveAgenda()
        }
    }

    private func trapIfForked() {
        guard isForked else { return }
        trap("A fork of the process waits on the port of its parent, and would take the parent's events. Make a new loop in the child.")
    }

    /// Whether something waits here that no event is going to tell about.
    private var hasWork: Bool {
        !state.record.ready.isEmpty || !state.record.agenda.isEmpty || !state.record.fresh.isEmpty
    }

    private func soonest(_ bound: WaitBound) -> WaitBound {
        guard let retryAt = state.record.retryAt else { return bound }
        switch bound {
        case .poll: return .poll
        case .until(let instant): return .until(min(instant, retryAt))
        case .forever: return .until(retryAt)
        }
    }

    @inline(__always)
    private func harvest(for bound: WaitBound) {
        state.record.metrics.kernelWaits += 1
        if bound != .poll { state.record.metrics.blockingWaits += 1 }
        let count = kernel.wait(bound)
        // What belongs to one of many connections is in no cache: it is fetched while the others' is looked at.
        if count > 1 { for index in 0..<count { state.record.descriptors.prefetch(HandleKey(word: kernel.event(index).word).slot) } }
        for index in 0..<count {
            let (word, flags) = kernel.event(index)
            if let descriptor = state.record.descriptors.find(HandleKey(word: word)) {
                note(flags, descriptor)
            } else if !ReservedWord.contains(word) {
                // Of a number that was closed without a word, while a dup or a fork keeps its file open (C13).
                state.record.metrics.staleEvents += 1
            }
        }
    }

    /// What an event says, in flags. Whether it is true, the operations' own system calls find out.
    @inline(__always)
    private func note(_ flags: EventFlags, _ descriptor: Descriptor) {
        descriptor.record.ending = flags.intersection(.ending)
        let (reads, writes) = (descriptor.reads, descriptor.writes)
        if !flags.isDisjoint(with: .forReads) { reads.record.maybeReady = true }
        if !flags.isDisjoint(with: .forWrites) { writes.record.maybeReady = true }
        let hasWaiters = !descriptor.record.waiters.isEmpty
        if hasWaiters { descriptor.record.waitersAreDue = true }
        // With nobody waiting the flags are all there is to do.
        guard hasWaiters || !reads.record.parked.isEmpty || !writes.record.parked.isEmpty else { return }
        state.record.agenda.append(descriptor)
    }
}
