public import LoopCore

/// What a simulated port offers beside completions. Threads, names, processes and signals are all scripted: the work of a thread runs in
/// virtual time on the loop's own thread, after a delay drawn from the seed, and the rest is what the test says it is.
///
/// ```swift
/// port.simulatedSystem.setName("example.com", .success([address]))
/// port.simulatedSystem.startProcess(17)
/// port.after(1_000_000) { port.simulatedSystem.endProcess(17, .exited(code: 3)) }
/// port.after(2_000_000) { port.simulatedSystem.raise(.interrupt) }
/// ```
public final class SimulatedSystem: SystemServices, Sendable {
    // On the port's one thread, like the kernel.
    nonisolated(unsafe) let kernel: SimulatedKernel
    private nonisolated(unsafe) var processes: [Int: SimulatedProcess] = [:]
    private nonisolated(unsafe) var watches: [SimulatedSignalWatch] = []
    private nonisolated(unsafe) var script = SystemScript()
    private nonisolated(unsafe) var threadsStarted: UInt = 0
    private let names = SimulatedResolver()

    // SAFETY: nobody else knows this value yet.
    init(_ kernel: SimulatedKernel) { unsafe self.kernel = kernel }

    /// How threads behave, and what goes wrong.
    // SAFETY: on the port's thread.
    public var threads: SystemScript {
        get { unsafe script }
        set { unsafe script = newValue }
    }

    // MARK: what the loop asks for

    // SAFETY: on the port's thread.
    public func startWorker(named name: String) throws(SystemRefusal) -> any SystemWorker {
        if let refusal = unsafe script.refusal { throw SystemRefusal(code: refusal) }
        unsafe threadsStarted += 1
        // The loop's own is 1, and tests use small numbers.
        return SimulatedWorker(self, number: unsafe 1_000 + threadsStarted)
    }

    public var resolver: any SystemResolver { names }

    // SAFETY: on the port's thread.
    public func watchProcess(_ process: ProcessReference) throws(ProcessError) -> any ProcessWatch {
        let number: Int
        switch process {
        case .id(let id): number = id
        case .handle(let handle): number = handle.rawValue
        }
        guard let found = unsafe processes[number] else { throw .noSuchProcess(SimulatedStatus.invalidHandle.error) }
        guard found.isChild else { throw .notAChild(SimulatedStatus.invalidHandle.error) }
        return SimulatedProcessWatch(found)
    }

    // SAFETY: on the port's thread.
    public func watchSignals(_ signals: SignalSet) throws(SignalError) -> any SignalWatch {
        let watch = SimulatedSignalWatch(signals)
        unsafe watches.append(watch)
        return watch
    }

    // MARK: what the test does

    /// What a name has: looked up after the delay of the thread that does it. A name without an entry is not found. Numbers are found
    /// without one: "10.0.0.7" and whatever has a colon.
    public func setName(_ host: String, _ answer: Result<[SocketAddress], ResolveError>) { names.set(host, answer) }

    /// A process begins, which the loop may wait for if it is a child.
    // SAFETY: on the port's thread.
    public func startProcess(_ number: Int, isChild: Bool = true) {
        unsafe processes[number] = SimulatedProcess(isChild: isChild)
    }

    /// A process ends. Whoever waits for it is told at once.
    // SAFETY: on the port's thread.
    public func endProcess(_ number: Int, _ status: ExitStatus) {
        guard let process = unsafe processes[number] else { trap("No process \(number) was started.") }
        process.status = status
        tell(process.watcher)
    }

    /// A signal comes. Returns whether the loop takes it; a real process would otherwise meet whatever the signal does.
    // SAFETY: on the port's thread.
    @discardableResult
    public func raise(_ signal: Signal) -> Bool {
        unsafe watches.removeAll { $0.isClosed }
        let listeners = unsafe watches.filter { $0.signals.includes(signal) }
        for listener in listeners {
            listener.pending.append(signal)
            tell(listener.call)
        }
        return !listeners.isEmpty
    }

    // MARK: threads

    /// Calls as a thread that is not the loop's.
    // SAFETY: on the port's thread.
    private func tell(_ call: (@Sendable () -> Void)?) {
        guard let call else { return }
        unsafe kernel.waker.asAnyThread(999, call)
    }

    /// Runs a worker's work when its time has come.
    // SAFETY: on the port's thread.
    func schedule(_ call: @escaping () -> Void) -> MonotonicInstant {
        let delay = unsafe script.delayNanoseconds + UInt64(kernel.random.below(Int(clamping: max(1, script.spreadNanoseconds))))
        unsafe kernel.schedule(.call(call), after: delay)
        return unsafe kernel.clock.now.advanced(by: delay)
    }
}

/// How the threads of a simulated port behave.
public struct SystemScript: Hashable, Sendable {
    /// How long each piece of work takes at least.
    public var delayNanoseconds: UInt64 = 1_000_000
    /// How much longer it may take; the seed says.
    public var spreadNanoseconds: UInt64 = 1_000_000
    /// Why no thread can be started.
    public var refusal: SystemCode?

    init() {}
}

extension SimulatedWaker {
    /// As ``asThread(_:_:)`` where threads are numbers. Where a test has real ones this is the loop's, and the wake comes by itself.
    func asAnyThread(_ number: UInt, _ body: () -> Void) {
        if isSimulated { asThread(number, body) } else { body() }
        _ = wake()
    }
}
