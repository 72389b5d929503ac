import LoopCore
import _Concurrency

// How every kind of socket ends: nobody may use its handle any more, what is in flight ends, and then the system has it back.

extension Operations {
    /// Gives a handle back, and calls a function when it may be closed; at once where the loop has ended.
    func retire(_ handle: AssociatedHandle, closing close: @escaping () -> Void) {
        do throws(OperationError) { try retire(handle) { _ in close() } } catch { close() }
    }
}

extension WaitQueue {
    /// Waits for what wakes this queue to have come about, whatever becomes of the task; no longer than the loop lasts.
    nonisolated(nonsending) func waitShielded(until isSo: () -> Bool) async {
        while !isSo() {
            do throws(WaitError) { try await waitShielded() } catch { return }
        }
    }
}

extension Confined {
    /// Calls a function with the state, for somebody who drops it on any thread: now, where this is the loop's.
    func tell(_ loop: EventLoop, _ call: @escaping @Sendable (State) -> Void) {
        if let state = ifOn(loop) { return call(state) }
        let here = self
        loop.post { loop in call(here.on(loop)) }
    }
}
