internal import CLoopEpoll
internal import Glibc
internal import LoopCore

/// A child, by its pidfd: it polls readable when the child has ended, and waitid(2) takes the status from it, so that the number's next
/// owner is never mistaken for it.
final class EpollProcessWatch: ProcessWatch {
    private var fd: Int32
    /// The caller's descriptor was in blocking mode, and is to be so again.
    private var flagsBefore: Int?

    init(_ process: ProcessReference) throws(ProcessError) {
        switch process {
        case .id(let number):
            guard let id = Int32(exactly: number), id > 0 else { throw .noSuchProcess(.noSuchProcess) }
            fd = try EpollProcessWatch.descriptor(portloop_pidfd_open(id))
        case .handle(let handle):
            guard let own = Int32(exactly: handle.rawValue) else { throw .noSuchProcess(.badDescriptor) }
            fd = try EpollProcessWatch.descriptor(portloop_duplicate(own))
            if case .count(let flags) = Native.statusFlags(fd), flags & Int(O_NONBLOCK) == 0 { flagsBefore = flags }
        }
        // What is no child says so now, and not when it has ended.
        do throws(ProcessError) {
            _ = try look(takes: 0)
        } catch {
            close()
            if case .statusTaken(let code) = error { throw .notAChild(code) }
            throw error
        }
    }

    deinit { close() }

    var pollableHandle: NativeHandle? { NativeHandle(rawValue: Int(fd)) }

    /// The descriptor tells.
    func notify(_ call: @escaping @Sendable () -> Void) throws(SystemRefusal) {}

    func takeStatus() throws(ProcessError) -> ExitStatus? { try look(takes: 1) }

    func close() {
        guard fd >= 0 else { return }
        if let flagsBefore { _ = Native.setStatusFlags(fd, flagsBefore) }
        Native.close(fd)
        fd = -1
    }

    // SAFETY: the shim writes the status before it says anything but zero.
    private func look(takes: Int32) throws(ProcessError) -> ExitStatus? {
        var status: Int32 = 0
        switch unsafe Answer(portloop_reap(fd, takes, &status)) {
        case .count(0): return nil
        case .count(Int(CLD_EXITED)): return .exited(code: UInt32(bitPattern: status))
        case .count: return .killed(signal: status)
        case .failed(let code): throw ProcessError(code)
        }
    }

    private static func descriptor(_ result: Int32) throws(ProcessError) -> Int32 {
        switch Answer(result) {
        case .count(let fd): return Int32(fd)
        case .failed(let code): throw ProcessError(code)
        }
    }
}

extension ProcessError {
    fileprivate init(_ code: SystemCode) {
        self =
            switch code {
            case .noSuchProcess, .badDescriptor, .invalid: .noSuchProcess(code)
            case .noChild: .statusTaken(code)
            case .notPermitted: .notPermitted(code)
            case .notImplemented: .notSupported
            default: .system(code)
            }
    }
}
