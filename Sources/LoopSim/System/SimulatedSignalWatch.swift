internal import LoopCore

/// Signals that a test raises.
final class SimulatedSignalWatch: SignalWatch {
    private(set) var signals: SignalSet
    var pending: [Signal] = []
    private(set) var call: (@Sendable () -> Void)?
    private(set) var isClosed = false

    init(_ signals: SignalSet) { self.signals = signals }

    var pollableHandle: NativeHandle? { nil }

    func notify(_ call: @escaping @Sendable () -> Void) throws(SystemRefusal) { self.call = call }

    func change(to signals: SignalSet) throws(SignalError) { self.signals = signals }

    func take() -> Signal? { pending.isEmpty ? nil : pending.removeFirst() }

    func close() {
        isClosed = true
        call = nil
    }
}
