internal import LoopCore

extension EpollPort {
    public func close() {
        guard state.record.isOpen else { return }
        state.record.isOpen = false
        if let workers = state.record.workers {
            state.record.metrics.abandonedThreads += isForked ? 0 : UInt64(workers.close())
            state.record.workers = nil
        }
        dropEverything()
        for fd in state.record.keys.keys { Bindings.shared.forget(fd, binding) }
        state.record.brokenPipes.uncover(Native.currentThread)
        kernel.close()
    }

    /// Lets go of every operation. Nobody gets a packet: the ledger has disowned them (C10), and keeps their memory.
    private func dropEverything() {
        var works: [Work] = []
        state.record.descriptors.forEachRecord { descriptor in
            descriptor.record.word = DescriptorRecord.free
            drop(&descriptor.reads.record.parked, &works)
            drop(&descriptor.writes.record.parked, &works)
            drop(&descriptor.record.waiters, &works)
        }
        drop(&state.record.fresh, &works)
        _ = state.record.ready.take(max: .max) { _, operation in close(acquired: operation.record.completion.acquired) }
        // Here the adapters' functions go, when no list is half empty: what they held may call back as it goes.
        withExtendedLifetime(works) {}
    }

    private func drop(_ lot: inout ParkingLot, _ works: inout [Work]) {
        while let operation = lot.popFirst() {
            operation.record.place = .finished
            works.append(operation.takeWork())
        }
    }
}
