public import LoopCore
internal import Synchronization

/// Wakes a ``Win32Port`` from any thread: the owner of the completion port's handle, alive as long as anyone holds it, so that a wake after
/// the loop has ended is a packet that nobody takes.
///
/// Both methods may be called from any thread.
public final class Win32Waker: PortWaker {
    /// The completion port.
    let port: Int
    private let forgetsWakes: Bool
    private let hasWoken = Atomic<Bool>(false)

    init(faults: Win32Faults) throws(SystemError) {
        port = try Native.makePort()
        forgetsWakes = faults.contains(.forgetsWakes)
    }

    deinit { Native.close(port) }

    /// A packet of its own key, with no control block and nothing in it: that it came is all it says. Any number of them may be queued, and
    /// none is lost; the corresponding function is `PostQueuedCompletionStatus`, which fails only when the system is out of memory.
    public func wake() -> Bool {
        if forgetsWakes, hasWoken.exchange(true, ordering: .relaxed) { return true }
        return Native.post(port, key: .wake) == .none
    }

    public func currentThread() -> UInt { Native.currentThread }
}
