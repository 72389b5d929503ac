internal import CLoopWin32

/// A thread of Windows that runs one function.
final class RawThread {
    private let handle: Int

    // SAFETY: the box is the thread's from here on, or ours again where there is none.
    init(_ body: @escaping @Sendable () -> Void) throws(Unmet) {
        let box = unsafe Unmanaged.passRetained(Body(body))
        var made = 0
        let code = unsafe portloop_win32_thread_start(
            { context in
                guard let context = unsafe context else { return }
                unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
            }, box.toOpaque(), &made)
        handle = made
        if code != 0 {
            unsafe box.release()
            throw .failed("a thread: error \(code)")
        }
    }

    deinit { _ = portloop_win32_close_handle(handle) }

    /// Waits until it has ended.
    func join() throws(Unmet) {
        let code = portloop_win32_wait(handle, 10_000)
        if code != 0 { throw .failed("a thread did not end: code \(code)") }
    }
}

private final class Body {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// An event of Windows, set and reset by hand.
final class Event: Sendable {
    private let handle: Int

    init() throws(Unmet) {
        var made = 0
        let code = unsafe portloop_win32_event_create(1, &made)
        handle = made
        if code != 0 { throw .failed("an event: error \(code)") }
    }

    deinit { _ = portloop_win32_close_handle(handle) }

    func set() { _ = portloop_win32_event_set(handle) }

    func reset() { _ = portloop_win32_event_reset(handle) }

    @discardableResult
    func wait(milliseconds: UInt32) -> UInt32 { portloop_win32_wait(handle, milliseconds) }
}
