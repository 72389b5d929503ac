/// What a person or another program asks of this one.
public enum Signal: UInt8, Hashable, Sendable, CaseIterable {
    /// Ctrl-C. SIGINT; CTRL_C_EVENT on Windows.
    case interrupt
    /// Please end. SIGTERM; on Windows the end of the session or of the system (CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT).
    case terminate
    /// The terminal is gone. SIGHUP; CTRL_CLOSE_EVENT on Windows.
    case hangup
    /// Ctrl-\ or Ctrl-Break. SIGQUIT; CTRL_BREAK_EVENT on Windows.
    case quit
    /// Whatever the program says it means. SIGUSR1; not on Windows.
    case user1
    /// Whatever the program says it means. SIGUSR2; not on Windows.
    case user2
    /// The terminal has another size. SIGWINCH; not on Windows.
    case windowChange
    /// A child has ended. SIGCHLD; not on Windows.
    case child
}

/// Some signals.
public struct SignalSet: OptionSet, Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// These signals.
    public init(_ signals: [Signal]) {
        self.init(rawValue: signals.reduce(0) { $0 | 1 << UInt16($1.rawValue) })
    }

    /// Whether the signal is among them.
    public func includes(_ signal: Signal) -> Bool { rawValue & 1 << UInt16(signal.rawValue) != 0 }
}

/// Why signals cannot be taken.
public enum SignalError: Error, Hashable, Sendable {
    /// The loop's port takes no signals, or not this one.
    case notSupported
    /// No signal was named.
    case noSignals
    /// The loop was shut down.
    case closed
    /// The system refused.
    case system(SystemCode)
    /// The loop refused the handle that the signals come by.
    case association(AssociationError)
}

/// Signals that are taken on the loop's thread, instead of what they would do otherwise.
public protocol SignalWatch: SystemSource {
    /// Takes other signals from now on. Those that are taken no longer do again what they did before.
    func change(to signals: SignalSet) throws(SignalError)

    /// Takes one signal that has come; nil where there is none.
    func take() -> Signal?
}
