internal import CLoopEpoll
internal import Glibc
internal import LoopCore

/// Signals by a signalfd(2), blocked in the thread that makes it: a blocked signal waits until somebody reads it.
final class EpollSignalWatch: SignalWatch {
    private var fd: Int32
    /// What this watch blocked, and so has to unblock; what was blocked before is not its business.
    private var blocked: UInt64
    private var signals: SignalSet
    private let thread = Native.currentThread

    init(_ signals: SignalSet) throws(SignalError) {
        switch Answer(portloop_signalfd(-1, signals.bits)) {
        case .count(let made): fd = Int32(made)
        case .failed(let code): throw .system(code)
        }
        self.signals = signals
        blocked = portloop_block_signals(signals.bits)
    }

    deinit { close() }

    var pollableHandle: NativeHandle? { NativeHandle(rawValue: Int(fd)) }

    /// The descriptor tells.
    func notify(_ call: @escaping @Sendable () -> Void) throws(SystemRefusal) {}

    func change(to signals: SignalSet) throws(SignalError) {
        if case .failed(let code) = Answer(portloop_signalfd(fd, signals.bits)) { throw .system(code) }
        let gone = blocked & ~signals.bits
        portloop_unblock_signals(gone)
        blocked = blocked & ~gone | portloop_block_signals(signals.bits & ~self.signals.bits)
        self.signals = signals
    }

    func take() -> Signal? {
        guard fd >= 0, case .count(let number) = Answer(portloop_take_signal(fd)) else { return nil }
        return Signal.allCases.first { $0.number == Int32(number) }
    }

    func close() {
        guard fd >= 0 else { return }
        // What came while somebody listened is not to have its other effect now.
        while case .count = Answer(portloop_take_signal(fd)) {}
        Native.close(fd)
        fd = -1
        // Another thread's mask is out of reach.
        if Native.currentThread == thread { portloop_unblock_signals(blocked) }
    }
}

extension Signal {
    /// signal(7).
    fileprivate var number: Int32 {
        switch self {
        case .interrupt: SIGINT
        case .terminate: SIGTERM
        case .hangup: SIGHUP
        case .quit: SIGQUIT
        case .user1: SIGUSR1
        case .user2: SIGUSR2
        case .windowChange: SIGWINCH
        case .child: SIGCHLD
        }
    }
}

extension SignalSet {
    fileprivate var bits: UInt64 { Signal.allCases.reduce(0) { includes($1) ? $0 | 1 << UInt64($1.number - 1) : $0 } }
}
