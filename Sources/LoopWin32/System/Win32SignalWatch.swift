internal import CLoopWin32
internal import LoopCore

/// Console control, by packets of the port: the handler is the process's, and its thread the system's.
///
/// While it watches, Ctrl-C and Ctrl-Break end the process no longer, whether they are among the signals or not: the system has one
/// handler for all of them.
@safe final class Win32SignalWatch: SignalWatch {
    private let system: Win32System
    private let watch: UnsafeMutablePointer<portloop_win32_console_watch>
    private var signals: SignalSet
    private var pending: [Signal] = []
    private var call: (@Sendable () -> Void)?

    // SAFETY: the watch stays in place until `deinit`.
    init(_ signals: SignalSet, _ system: Win32System) throws(SignalError) {
        guard signals.isKnown else { throw .notSupported }
        self.signals = signals
        self.system = system
        unsafe watch = .allocate(capacity: 1)
        unsafe watch.initialize(to: portloop_win32_console_watch())
    }

    // SAFETY: nobody posts any more once the watch has stopped.
    deinit {
        close()
        unsafe watch.deallocate()
    }

    var pollableHandle: NativeHandle? { nil }

    // SAFETY: the watch is the shim's until it is stopped.
    func notify(_ call: @escaping @Sendable () -> Void) throws(SystemRefusal) {
        unsafe watch.pointee.port = system.port
        unsafe watch.pointee.key = PacketKey.console.word
        let code = unsafe portloop_win32_console_watch_start(watch)
        if code != 0 { throw SystemRefusal(code: SystemCode(code)) }
        self.call = call
        system.listen(self)
    }

    func change(to signals: SignalSet) throws(SignalError) {
        guard signals.isKnown else { throw .notSupported }
        self.signals = signals
    }

    func take() -> Signal? { pending.isEmpty ? nil : pending.removeFirst() }

    // SAFETY: stopped once.
    func close() {
        guard call != nil else { return }
        call = nil
        _ = unsafe portloop_win32_console_watch_stop(watch)
        system.listen(nil)
    }

    /// A packet came. What nobody asked for is let go: the default would have ended the process.
    func came(_ control: UInt32) {
        guard let signal = Signal(control: control), signals.includes(signal) else { return }
        pending.append(signal)
        call?()
    }
}

extension Signal {
    /// The corresponding constants are `CTRL_C_EVENT` and its like.
    fileprivate init?(control: UInt32) {
        switch control {
        case 0: self = .interrupt
        case 1: self = .quit
        case 2: self = .hangup
        case 5, 6: self = .terminate
        default: return nil
        }
    }
}

extension SignalSet {
    /// Whether Windows has all of them.
    fileprivate var isKnown: Bool { isSubset(of: SignalSet([.interrupt, .terminate, .hangup, .quit])) }
}
