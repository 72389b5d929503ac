#if PORTLOOP_WINDOWS
import CLoopWin32
import LoopCore

/// One wait for an event of a port under Wine, whose `WaitCommEvent` sets an event and never queues a packet: on a thread of its own, which
/// completes an operation in the packet's stead.
///
/// A wait that was left by its caller goes on until the next one begins, which ends it by setting the mask once more, or until the port is
/// closed, which sets a mask of nothing.
final class WineEventWait: Sendable {
    private let handle: Int
    private let mask: UInt32
    private let hold: HandleHold
    private let remote: RemoteCompletion
    private let found: @Sendable (UInt32) -> Void

    init(
        _ handle: NativeHandle, _ mask: UInt32, _ hold: HandleHold, _ remote: RemoteCompletion,
        _ found: @escaping @Sendable (UInt32) -> Void
    ) {
        self.handle = handle.rawValue
        self.mask = mask
        self.hold = hold
        self.remote = remote
        self.found = found
    }

    /// Starts the thread: zero, or why there is none.
    // SAFETY: the thread takes over one reference to this object, or gives it back here if it never begins. The shim writes the handle
    // before it says zero.
    func start() -> UInt32 {
        let own = unsafe Unmanaged.passRetained(self)
        var thread = 0
        let code = unsafe portloop_win32_thread_start(waitMain, own.toOpaque(), &thread)
        if code == 0 { _ = portloop_win32_close_handle(thread) } else { unsafe own.release() }
        return code
    }

    /// On the wait's own thread.
    fileprivate func run() {
        let code = hold.use { wait() } ?? UInt32(portloop_win32_invalid_handle)
        remote.complete(error: SystemCode(rawValue: Int32(bitPattern: code)))
    }

    // SAFETY: the system writes to both places until the event is set, and they stay until then.
    private func wait() -> UInt32 {
        var event = 0
        let made = unsafe portloop_win32_event_create(1, &event)
        guard made == 0 else { return made }
        let place = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
        let block = UnsafeMutablePointer<portloop_win32_overlapped>.allocate(capacity: 1)
        unsafe place.initialize(to: 0)
        unsafe block.initialize(to: portloop_win32_overlapped())
        unsafe block.pointee.event = event
        defer {
            _ = portloop_win32_close_handle(event)
            unsafe place.deallocate()
            unsafe block.deallocate()
        }
        var code = unsafe begin(place, block)
        if code == UInt32(portloop_win32_io_pending) {
            _ = portloop_win32_wait(event, UInt32.max)
            let status = unsafe UInt32(truncatingIfNeeded: block.pointee.internal)
            // The mask was set meanwhile: an end without an event.
            code = status == WineEventWait.cancelled ? 0 : portloop_win32_error_of_status(status)
        }
        if code == 0 { found(unsafe place.pointee) }
        return code
    }

    /// The wait before this one may still be on its way out: until then the system refuses another.
    // SAFETY: as above.
    private func begin(_ place: UnsafeMutablePointer<UInt32>, _ block: UnsafeMutablePointer<portloop_win32_overlapped>) -> UInt32 {
        var code = portloop_win32_comm_mask_set(handle, mask)
        guard code == 0 else { return code }
        for _ in 0..<WineEventWait.attemptsMax {
            code = unsafe portloop_win32_comm_wait(handle, place, block)
            guard code == UInt32(portloop_win32_invalid_parameter) else { break }
            // An event that nobody sets: a sleep of a millisecond.
            _ = unsafe portloop_win32_wait(block.pointee.event, 1)
        }
        return code
    }

    /// Its own thread looks at the mask every few milliseconds.
    private static let attemptsMax = 200
    /// STATUS_CANCELLED.
    private static let cancelled: UInt32 = 0xC000_0120
}

// SAFETY: `start` passed a reference that it retained for this thread.
private func waitMain(_ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { trap("A thread was started for nobody.") }
    unsafe Unmanaged<WineEventWait>.fromOpaque(context).takeRetainedValue().run()
}
#endif
