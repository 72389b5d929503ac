internal import LoopCore

/// What Windows offers a loop beside completions: threads, `GetAddrInfoW`, waits on process handles, the console's control handler.
///
/// What the system tells on threads of its own it tells by packets, so that nothing of Swift's runs there: the port hands them on.
final class Win32System: SystemServices {
    let resolver: any SystemResolver = Win32Resolver()
    private let waker: Win32Waker
    /// Who waits for a process, by the number in the packet.
    private var exits: [UInt32: @Sendable () -> Void] = [:]
    private var lastExit: UInt32 = 0
    private var controls: Win32SignalWatch?

    init(waker: Win32Waker) { self.waker = waker }

    func startWorker(named name: String) throws(SystemRefusal) -> any SystemWorker { try Win32Worker(named: name) }

    func watchProcess(_ process: ProcessReference) throws(ProcessError) -> any ProcessWatch { try Win32ProcessWatch(process, self) }

    func watchSignals(_ signals: SignalSet) throws(SignalError) -> any SignalWatch { try Win32SignalWatch(signals, self) }

    /// The completion port that packets are posted on.
    var port: Int { waker.port }

    // MARK: what packets tell

    /// A number for a wait, and what to call when its packet comes.
    func expectExit(_ call: @escaping @Sendable () -> Void) -> UInt32 {
        lastExit &+= 1
        exits[lastExit] = call
        return lastExit
    }

    func forgetExit(_ number: UInt32) { exits[number] = nil }

    /// The packet of a wait that nobody has any more may have been queued before it was stopped.
    func processEnded(_ number: UInt32) {
        if let call = exits.removeValue(forKey: number) { call() }
    }

    func listen(_ watch: Win32SignalWatch?) { controls = watch }

    func controlCame(_ control: UInt32) { controls?.came(control) }
}
