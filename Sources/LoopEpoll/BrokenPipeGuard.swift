/// Keeps SIGPIPE blocked on the thread that uses the port.
///
/// Sockets are written to with MSG_NOSIGNAL, but a pipe has no such flag, and the system calls of an attempt are the adapter's. The signal
/// goes to the thread that wrote, so blocking it on that thread is enough, and the process's disposition is left alone. A port may be made
/// on one thread and used on another: comparing the thread costs next to nothing, so that is done each time.
struct BrokenPipeGuard {
    private enum State {
        case off
        case on(thread: UInt, wasBlocked: Bool)
    }

    private var state = State.off

    @inline(__always)
    mutating func cover(_ thread: UInt) {
        if case .on(thread, _) = state { return }
        state = .on(thread: thread, wasBlocked: Native.blockBrokenPipe())
    }

    /// Gives the thread its mask back, if it is this one: a program that it starts would inherit it.
    mutating func uncover(_ thread: UInt) {
        if case .on(thread, wasBlocked: false) = state { Native.unblockBrokenPipe() }
        state = .off
    }
}
