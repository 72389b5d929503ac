internal import CLoopWin32
internal import LoopCore
internal import Synchronization

/// A thread that waits for work. An event tells it that there is some, or that it is to end: the loop hands it one piece at a time, and
/// never a second before it has heard of the end of the first, so what they share is one thread's at any time.
final class Win32Worker: SystemWorker, Sendable {
    private nonisolated(unsafe) var work: (@Sendable () -> Void)?
    private nonisolated(unsafe) var thread = 0
    private let event: Int
    private let name: String
    private let isStopping = Atomic<Bool>(false)

    // SAFETY: the thread takes over one reference to this object, or gives it back here if it never begins. The shim writes each handle
    // before it says zero.
    init(named name: String) throws(SystemRefusal) {
        self.name = name
        var made = 0
        let code = unsafe portloop_win32_event_create(0, &made)
        event = made
        guard code == 0 else { throw SystemRefusal(code: SystemCode(code)) }
        let own = unsafe Unmanaged.passRetained(self)
        var started = 0
        let answer = unsafe portloop_win32_thread_start(workerMain, own.toOpaque(), &started)
        guard answer == 0 else {
            unsafe own.release()
            throw SystemRefusal(code: SystemCode(answer))
        }
        unsafe thread = started
    }

    deinit { if event != 0 { Native.close(event) } }

    // SAFETY: the worker has no work and waits for the event, which is set behind the write.
    func run(_ work: @escaping @Sendable () -> Void) {
        unsafe self.work = work
        _ = portloop_win32_event_set(event)
    }

    /// The event without work. It is of the kind that one wait resets; where work is on its way already that comes first, and the end of
    /// the pool follows its report.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        _ = portloop_win32_event_set(event)
    }

    // SAFETY: on the loop's thread, once.
    func join(until instant: MonotonicInstant) -> Bool {
        let now = Native.now
        let left = instant.nanoseconds > now ? (instant.nanoseconds - now) / 1_000_000 + 1 : 0
        let answer = unsafe portloop_win32_wait(thread, UInt32(min(left, UInt64(UInt32.max - 1))))
        unsafe Native.close(thread)
        return answer == 0
    }

    /// Does what it is given until it is stopped. On its own thread.
    // SAFETY: the name lives for the call; the work is this thread's from the event on.
    fileprivate func serve() {
        var units = Array(name.utf16) + [0]
        // Before Windows 10 1607 threads have no names.
        _ = unsafe portloop_win32_thread_name(&units)
        while portloop_win32_wait(event, UInt32.max) == 0 {
            if let work = unsafe work.take() { work() }
            if isStopping.load(ordering: .acquiring) { return }
        }
    }
}

// SAFETY: `init` passed a reference that it retained for this thread.
private func workerMain(_ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { trap("A worker was started for nobody.") }
    unsafe Unmanaged<Win32Worker>.fromOpaque(context).takeRetainedValue().serve()
}
