internal import CLoopEpoll
internal import Glibc
internal import LoopCore

/// The epoll descriptor, the room for its events, and the clock that bounds a wait.
@safe final class KernelQueue {
    /// How a bound finer than a millisecond is kept. Decided by the first bounded wait, for good.
    enum Timing {
        /// epoll_pwait2, of Linux 5.11.
        case waitWithNanoseconds
        /// A timerfd in the epoll set, and the instant it is armed for; zero is disarmed.
        case timer(fd: Int32, armedFor: UInt64)
    }

    /// -1 once closed.
    private(set) var epoll: Int32
    private let events: UnsafeMutableRawPointer
    private var timing = Timing.waitWithNanoseconds
    /// For tests: do as a kernel does that lacks epoll_pwait2.
    private let lacksNanosecondWait: Bool
    /// How often the registration of a descriptor was made or changed, for the test that it is not in the steady state.
    private(set) var registrations: UInt64 = 0

    /// One event each for as many descriptors; the others' stay in the kernel until the next look. With 16 a request costs 2 % more at 64
    /// busy connections, and 5 % at 512 (measured).
    static let eventsPerWaitMax = 256

    // SAFETY: raw memory that lives as long as this object; the kernel fills it, the shim reads it.
    init(lacksNanosecondWait: Bool) throws(SystemError) {
        switch Native.makeEpoll() {
        case .count(let fd): epoll = Int32(fd)
        case .failed(let code): throw SystemError(code: code)
        }
        let bytes = KernelQueue.eventsPerWaitMax * Int(portloop_event_bytes)
        unsafe events = .allocate(byteCount: bytes, alignment: 8)
        self.lacksNanosecondWait = lacksNanosecondWait
    }

    // SAFETY: as above.
    deinit {
        close()
        unsafe events.deallocate()
    }

    func close() {
        guard epoll >= 0 else { return }
        if case .timer(let fd, _) = timing { Native.close(fd) }
        Native.close(epoll)
        epoll = -1
    }

    // MARK: registrations

    func register(_ fd: Int32, _ change: Registration, _ flags: EventFlags, word: UInt64) -> Answer {
        registrations += 1
        return Native.control(epoll, change, fd, flags, word)
    }

    // MARK: waiting

    /// Waits for events and returns how many there are. A signal ends the wait with none.
    @inline(__always)
    func wait(_ bound: WaitBound) -> Int {
        switch bound {
        case .poll: return collect(milliseconds: 0)
        case .forever:
            disarm()
            return collect(milliseconds: -1)
        case .until(let instant): return wait(until: instant.nanoseconds)
        }
    }

    /// One event of the last wait: whose it is, and what it says.
    // SAFETY: the kernel wrote as many events as `wait` returned.
    @inline(__always)
    func event(_ index: Int) -> (word: UInt64, flags: EventFlags) {
        let word = unsafe portloop_event_word(events, UInt32(index))
        return (word, EventFlags(rawValue: unsafe portloop_event_flags(events, UInt32(index))))
    }

    // SAFETY: the room is for `eventsPerWaitMax` events.
    @inline(never)
    private func wait(until instant: UInt64) -> Int {
        let now = Native.now()
        guard instant > now else { return collect(milliseconds: 0) }
        if case .timer = timing { return waitOnTimer(until: instant, now: now) }
        guard !lacksNanosecondWait else { return waitOnTimer(until: instant, now: now) }
        let answer = Answer(
            unsafe portloop_epoll_wait_nanoseconds(epoll, events, Int32(KernelQueue.eventsPerWaitMax), instant - now))
        // EPERM is what the system call filters of older container runtimes say of a call they have never heard of.
        if case .failed(let code) = answer, code == .notImplemented || code == .notPermitted {
            return waitOnTimer(until: instant, now: now)
        }
        return count(answer)
    }

    private func waitOnTimer(until instant: UInt64, now: UInt64) -> Int {
        guard arm(for: instant) else {
            // There is no timer to be had, so milliseconds must do: rounded up, because an early wait would be made again at once.
            let milliseconds = min((instant - now + 999_999) / 1_000_000, UInt64(Int32.max))
            return collect(milliseconds: Int32(milliseconds))
        }
        return collect(milliseconds: -1)
    }

    private func arm(for instant: UInt64) -> Bool {
        if case .waitWithNanoseconds = timing {
            guard case .count(let number) = Native.makeTimer() else { return false }
            let fd = Int32(number)
            guard case .count = Native.control(epoll, .add, fd, [.readable, .edgeTriggered], ReservedWord.timer) else {
                Native.close(fd)
                return false
            }
            timing = .timer(fd: fd, armedFor: 0)
        }
        guard case .timer(let fd, let armedFor) = timing else { return false }
        // The instant lay ahead when the wait began, so its edge has not been taken yet.
        if armedFor == instant { return true }
        guard case .count = Native.armTimer(fd, at: instant) else { return false }
        timing = .timer(fd: fd, armedFor: instant)
        return true
    }

    /// A wait without bound is not to be ended by the bound of an earlier one.
    @inline(__always)
    private func disarm() {
        guard case .timer(let fd, let armedFor) = timing, armedFor != 0 else { return }
        _ = Native.armTimer(fd, at: 0)
        timing = .timer(fd: fd, armedFor: 0)
    }

    // SAFETY: as for `wait(until:)`.
    @inline(__always)
    private func collect(milliseconds: Int32) -> Int {
        count(Answer(unsafe portloop_epoll_wait(epoll, events, Int32(KernelQueue.eventsPerWaitMax), milliseconds)))
    }

    @inline(__always)
    private func count(_ answer: Answer) -> Int {
        switch answer {
        case .count(let count): return count
        case .failed(.interrupted): return 0
        case .failed(let code): trapClosed(code)
        }
    }

    @inline(never)
    private func trapClosed(_ code: SystemCode) -> Never {
        trap("Waiting for events failed with \(code.rawValue): the port's descriptor \(epoll) was closed by someone.")
    }
}

/// User data of events that are not an association's: the ledger's generations begin at 1, so these are no key's.
enum ReservedWord {
    static let wake = HandleKey(slot: 0, generation: 0).word
    static let timer = HandleKey(slot: 1, generation: 0).word

    static func contains(_ word: UInt64) -> Bool { HandleKey(word: word).generation == 0 }
}
