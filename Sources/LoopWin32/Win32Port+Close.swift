internal import LoopCore

/// How long the end of a port waits for the driver of sockets to give back the questions it was asked: far more than it needs, and little
/// enough for somebody who waits for a program to end.
private let closeNanosecondsMax: UInt64 = 50_000_000

extension Win32Port {
    /// Lets go of what is the port's own. Operations that are with the kernel get their packet from no one: the ledger has disowned them,
    /// and keeps their memory (C10). What the kernel or the driver may still write to of ours is left behind with them.
    public func close() {
        guard state.record.isOpen else { return }
        state.record.isOpen = false
        dropEverything()
        reapRequests()
        if let helper = state.record.helper { Native.close(helper) }
        state.record.helper = nil
        state.record.requests.deallocate()
        state.record.rooms.deallocate()
        kernel.close()
    }

    /// Lets go of every operation that waits here. Nobody gets a packet.
    private func dropEverything() {
        var works: [Work] = []
        state.record.handles.forEachRecord { handle in
            takeBack(handle)
            handle.record.word = BoundHandleRecord.free
            drop(&handle.record.waiters, &works)
            drop(&handle.record.reads, &works)
            drop(&handle.record.writes, &works)
        }
        drop(&state.record.fresh, &works)
        while let packet = state.record.ready.popFirst() { close(acquired: packet.completion.acquired) }
        // Here the adapters' functions go, when no list is half empty: what they held may call back as it goes.
        withExtendedLifetime(works) {}
    }

    private func drop(_ lot: inout ParkingLot, _ works: inout [Work]) {
        while let operation = lot.popFirst() {
            operation.record.place = .finished
            works.append(operation.takeWork())
        }
    }

    /// Waits for the questions that were taken back. Packets of operations that come meanwhile are nobody's; what an accept made is closed.
    private func reapRequests() {
        let bound = MonotonicInstant(nanoseconds: Native.now).advanced(by: closeNanosecondsMax)
        repeat {
            let count = kernel.wait(state.record.requests.firstPending == nil ? .poll : .until(bound), max: KernelQueue.entriesMax)
            for index in 0..<count {
                if let packet = take(kernel.entry(index)) { close(acquired: packet.completion.acquired) }
            }
        } while state.record.requests.firstPending != nil && now() < bound
    }
}
