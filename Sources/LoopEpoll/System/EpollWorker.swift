internal import CLoopEpoll
internal import Glibc
internal import LoopCore

/// A thread that waits for work. What it shares with the loop's thread is guarded by the gate.
final class EpollWorker: SystemWorker, Sendable {
    private nonisolated(unsafe) let gate = Gate()
    // Guarded by the gate.
    private nonisolated(unsafe) var work: (@Sendable () -> Void)?
    private nonisolated(unsafe) var isStopping = false
    // The loop's.
    private nonisolated(unsafe) var thread = pthread_t()
    private let name: String

    // SAFETY: the thread takes over one reference to this object, or gives it back here if it never begins.
    init(named name: String) throws(SystemRefusal) {
        self.name = name
        let own = unsafe Unmanaged.passRetained(self)
        var made = pthread_t()
        let code = unsafe portloop_start_thread(&made, workerMain, own.toOpaque())
        guard code == 0 else {
            unsafe own.release()
            throw SystemRefusal(code: SystemCode(rawValue: -code))
        }
        unsafe thread = made
    }

    // SAFETY: within the gate.
    func run(_ work: @escaping @Sendable () -> Void) {
        unsafe gate.withLock {
            unsafe self.work = work
            unsafe gate.open()
        }
    }

    // SAFETY: within the gate.
    func stop() {
        unsafe gate.withLock {
            unsafe isStopping = true
            unsafe gate.open()
        }
    }

    // SAFETY: on the loop's thread, once.
    func join(until instant: MonotonicInstant) -> Bool {
        if unsafe Native.join(thread, until: instant.nanoseconds) { return true }
        unsafe Native.abandon(thread)
        return false
    }

    /// Does what it is given until it is stopped. On its own thread.
    fileprivate func serve() {
        Native.nameThread(name)
        while let work = next() { work() }
    }

    // SAFETY: within the gate.
    private func next() -> (@Sendable () -> Void)? {
        unsafe gate.withLock {
            while true {
                if let work = unsafe work.take() { return work }
                if unsafe isStopping { return nil }
                unsafe gate.wait()
            }
        }
    }
}

// SAFETY: `init` passed a reference that it retained for this thread.
private func workerMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context = unsafe context else { trap("A worker was started for nobody.") }
    unsafe Unmanaged<EpollWorker>.fromOpaque(context).takeRetainedValue().serve()
    return nil
}
