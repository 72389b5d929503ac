internal import CLoopWin32
internal import LoopCore

/// The completion port's front end: the room for what it hands out, and the timer that ends a wait between two ticks of the system's clock.
@safe final class KernelQueue {
    /// A wait in milliseconds ends at a tick of the system's clock, which comes every 15.6 ms unless somebody has asked for more. A
    /// high-resolution timer (Windows 10 1803) is finer than that, but cannot be waited for together with a completion port. So it is made
    /// to queue an APC to this thread, a call that runs while the thread waits *alertably*, and that ends the wait.
    private enum Timer {
        case notTried
        case none
        case idle(Int)
        /// Until it has gone off, or until a nearer instant is wanted.
        case armed(Int, for: UInt64)
    }

    private let port: Int
    private let entries: UnsafeMutablePointer<portloop_win32_entry>
    private var timer = Timer.notTried

    /// Packets for one turn; what is beyond stays in the kernel, in its order.
    static let entriesMax = 256

    /// The longest wait in milliseconds that is not for ever: INFINITE is the number above it. Some 49 days.
    private static let millisecondsMax = UInt64(UInt32.max - 1)

    // SAFETY: `entriesMax` places for as long as this object lives; the kernel fills them.
    init(port: Int) {
        self.port = port
        unsafe entries = .allocate(capacity: KernelQueue.entriesMax)
        unsafe entries.initialize(repeating: portloop_win32_entry(), count: KernelQueue.entriesMax)
    }

    // SAFETY: as above.
    deinit {
        close()
        unsafe entries.deallocate()
    }

    func close() {
        switch timer {
        case .notTried, .none: break
        case .idle(let handle), .armed(let handle, _):
            Native.disarm(handle)
            Native.close(handle)
        }
        timer = .none
    }

    /// Waits for packets, at most `max` of them, and returns how many there are. None if the bound has passed, or if something else has
    /// ended the wait: then the caller looks at its clock and asks again.
    func wait(_ bound: WaitBound, max: Int) -> Int {
        switch bound {
        case .poll: return collect(max, milliseconds: 0, isAlertable: false)
        case .forever: return collect(max, milliseconds: UInt32.max, isAlertable: false)
        case .until(let instant):
            let now = Native.now
            guard instant.nanoseconds > now else { return collect(max, milliseconds: 0, isAlertable: false) }
            let left = instant.nanoseconds - now
            // Rounded up: rounded down, the last millisecond would be waited for in a thousand waits of none. It stands behind the timer
            // too, whose APC may have ended some other alertable wait of this thread.
            let milliseconds = min(left / 1_000_000 + (left % 1_000_000 == 0 ? 0 : 1), KernelQueue.millisecondsMax)
            return collect(max, milliseconds: UInt32(milliseconds), isAlertable: arm(for: instant.nanoseconds, left))
        }
    }

    /// One packet of the last wait.
    // SAFETY: the kernel wrote as many entries as `wait` returned.
    @inline(__always)
    func entry(_ index: Int) -> KernelEntry {
        let entry = unsafe entries[index]
        return unsafe KernelEntry(
            key: UInt(entry.key), block: UnsafeMutableRawPointer(entry.overlapped),
            status: RawStatus(rawValue: UInt32(truncatingIfNeeded: entry.internal)), count: Int(entry.bytes))
    }

    // SAFETY: `max` is at most `entriesMax`.
    private func collect(_ max: Int, milliseconds: UInt32, isAlertable: Bool) -> Int {
        var count: UInt32 = 0
        let code = unsafe SystemCode(
            portloop_win32_port_wait(
                port, entries, UInt32(min(max, KernelQueue.entriesMax)), milliseconds, isAlertable ? 1 : 0, &count))
        switch code {
        case .none: return Int(count)
        case .timedOut: return 0
        case .apcRan:
            // Perhaps the timer's, perhaps somebody else's: if the timer is still armed, arming it again does no harm.
            if case .armed(let handle, _) = timer { timer = .idle(handle) }
            return 0
        default: trap("Waiting for packets failed with \(code.rawValue): the completion port's handle was closed by someone.")
        }
    }

    /// Whether the timer is going to end a wait at that instant.
    private func arm(for instant: UInt64, _ nanoseconds: UInt64) -> Bool {
        if case .notTried = timer { timer = Native.makeFineTimer().map { .idle($0) } ?? .none }
        switch timer {
        case .notTried, .none: return false
        case .armed(_, for: instant): return true
        case .armed(let handle, _), .idle(let handle):
            timer = .idle(handle)
            guard Native.arm(handle, inNanoseconds: nanoseconds) else { return false }
            timer = .armed(handle, for: instant)
            return true
        }
    }
}

/// One packet as the kernel hands it out.
@safe struct KernelEntry {
    let key: UInt
    let block: UnsafeMutableRawPointer?
    /// From a field that Microsoft calls reserved, and that has held the status since the function exists (Windows Vista). For operations
    /// that the port knows the status is taken from their control block.
    let status: RawStatus
    let count: Int
}
