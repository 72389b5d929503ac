internal import LoopCore

/// A thread of a simulated port: a piece of work begins at once and ends after a delay, when its function is called, as another thread.
final class SimulatedWorker: SystemWorker, Sendable {
    private let system: SimulatedSystem
    private let number: UInt
    // On the port's one thread.
    private nonisolated(unsafe) var work: (@Sendable () -> Void)?
    private nonisolated(unsafe) var due = MonotonicInstant(nanoseconds: 0)

    init(_ system: SimulatedSystem, number: UInt) {
        self.system = system
        self.number = number
    }

    // SAFETY: on the port's thread.
    func run(_ work: @escaping @Sendable () -> Void) {
        unsafe self.work = work
        unsafe due = system.schedule { [self] in finish() }
    }

    func stop() {}

    /// Time passes until the work is done, or up to the bound.
    // SAFETY: on the port's thread.
    func join(until instant: MonotonicInstant) -> Bool {
        guard unsafe work != nil else { return true }
        unsafe system.kernel.clock.advance(to: min(due, instant))
        guard unsafe due <= instant else { return false }
        finish()
        return true
    }

    // SAFETY: on the port's thread.
    private func finish() {
        guard let work = unsafe work.take() else { return }
        unsafe system.kernel.waker.asAnyThread(number, work)
    }
}
