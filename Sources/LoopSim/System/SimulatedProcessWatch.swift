internal import LoopCore

/// A process that a test started.
final class SimulatedProcess {
    let isChild: Bool
    var status: ExitStatus?
    var watcher: (@Sendable () -> Void)?

    init(isChild: Bool) { self.isChild = isChild }
}

/// A wait for it.
final class SimulatedProcessWatch: ProcessWatch {
    private let process: SimulatedProcess

    init(_ process: SimulatedProcess) { self.process = process }

    var pollableHandle: NativeHandle? { nil }

    /// One that has ended already calls at once, which a real system may too.
    func notify(_ call: @escaping @Sendable () -> Void) throws(SystemRefusal) {
        process.watcher = call
        if process.status != nil { call() }
    }

    func takeStatus() throws(ProcessError) -> ExitStatus? { process.status }

    func close() { process.watcher = nil }
}
