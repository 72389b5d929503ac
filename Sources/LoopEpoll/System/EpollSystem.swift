internal import LoopCore

/// What Linux offers a loop beside completions: POSIX threads, getaddrinfo(3), pidfd_open(2), signalfd(2).
final class EpollSystem: SystemServices {
    let resolver: any SystemResolver = EpollResolver()

    func startWorker(named name: String) throws(SystemRefusal) -> any SystemWorker { try EpollWorker(named: name) }

    func watchProcess(_ process: ProcessReference) throws(ProcessError) -> any ProcessWatch { try EpollProcessWatch(process) }

    func watchSignals(_ signals: SignalSet) throws(SignalError) -> any SignalWatch { try EpollSignalWatch(signals) }
}
