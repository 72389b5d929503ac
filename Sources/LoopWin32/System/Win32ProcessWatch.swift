internal import CLoopWin32
internal import LoopCore

/// A process, by its handle: a thread of the system's waits for it and posts a packet. Any process can be waited for, not only a child.
@safe final class Win32ProcessWatch: ProcessWatch {
    private let system: Win32System
    private var process: Int
    private let watch: UnsafeMutablePointer<portloop_win32_exit_watch>
    private var isWatching = false

    // SAFETY: the shim writes the handle before it says zero. The watch stays in place until `deinit`.
    init(_ process: ProcessReference, _ system: Win32System) throws(ProcessError) {
        var made = 0
        let code: UInt32
        switch process {
        case .id(let number): code = unsafe portloop_win32_process_open(UInt32(exactly: number) ?? 0, &made)
        case .handle(let handle): code = unsafe portloop_win32_duplicate(handle.rawValue, &made)
        }
        self.process = made
        self.system = system
        unsafe watch = .allocate(capacity: 1)
        unsafe watch.initialize(to: portloop_win32_exit_watch())
        guard code == 0 else { throw ProcessError(SystemCode(code)) }
    }

    // SAFETY: nobody posts any more once the watch has stopped.
    deinit {
        close()
        unsafe watch.deallocate()
    }

    var pollableHandle: NativeHandle? { nil }

    // SAFETY: the watch is the shim's until it is stopped.
    func notify(_ call: @escaping @Sendable () -> Void) throws(SystemRefusal) {
        let number = system.expectExit(call)
        unsafe watch.pointee.port = system.port
        unsafe watch.pointee.key = PacketKey.exit.word
        unsafe watch.pointee.number = number
        let code = unsafe portloop_win32_exit_watch_start(watch, process)
        guard code == 0 else {
            system.forgetExit(number)
            throw SystemRefusal(code: SystemCode(code))
        }
        isWatching = true
    }

    // SAFETY: the shim writes the code before it says zero.
    func takeStatus() throws(ProcessError) -> ExitStatus? {
        var exitCode: UInt32 = 0
        switch unsafe SystemCode(portloop_win32_process_exit_code(process, &exitCode)) {
        case .none: return .exited(code: exitCode)
        case .timedOut: return nil
        case let code: throw ProcessError(code)
        }
    }

    // SAFETY: stopped once.
    func close() {
        if isWatching {
            _ = unsafe portloop_win32_exit_watch_stop(watch)
            system.forgetExit(unsafe watch.pointee.number)
            isWatching = false
        }
        if process != 0 { Native.close(process) }
        process = 0
    }
}

extension ProcessError {
    fileprivate init(_ code: SystemCode) {
        self =
            switch code {
            case .invalidParameter, .invalidHandle: .noSuchProcess(code)
            case .accessDenied: .notPermitted(code)
            default: .system(code)
            }
    }
}
