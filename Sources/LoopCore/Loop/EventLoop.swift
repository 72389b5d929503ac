internal import Synchronization
public import _Concurrency

/// A completion-port event loop: an actor that is its own executor.
///
/// It lives on the thread that makes it. That thread drives it (``turn(_:)``), and everything isolated to the loop, or to an actor pinned
/// to it through ``OnLoop``, runs there. Other threads may post work and resume tasks; they never touch what the loop owns.
///
/// A loop owns its port. Handles stay their callers': the loop closes none, and a handle MUST be retired before it is closed.
public actor EventLoop: SerialExecutor, TaskExecutor {
    // Nonisolated, behind the thread check in `core`: asked through `assumeIsolated` a yield costs 401 ns instead of 259 (measured).
    private nonisolated(unsafe) let machinery: Core
    nonisolated let mailbox: Mailbox
    nonisolated let thread: LoopThread
    nonisolated let fibers = FiberCount()
    /// Whether every task of the process runs here that prefers no executor.
    nonisolated let isDefaultExecutor = Atomic<Bool>(false)
    @usableFromInline nonisolated let waitingRoom: WaitingRoom

    /// Makes a loop on the calling thread, which becomes its own.
    // SAFETY: nobody else has the machinery yet.
    public init(port: sending any CompletionPort, limits: Limits = Limits()) {
        let waker = port.waker
        mailbox = Mailbox(waker: waker)
        thread = LoopThread(waker: waker)
        unsafe machinery = Core(port: port, limits: limits)
        waitingRoom = unsafe WaitingRoom(of: machinery)
    }

    /// The machinery, for the loop's own thread.
    nonisolated var core: Core {
        // SAFETY: one thread at a time is the loop's, and this is it.
        @inline(__always) get {
            guard let core = coreIfHere else { trapOffThread() }
            return core
        }
    }

    /// The machinery on the loop's own thread, nil on any other: for calls that may come from anywhere.
    nonisolated var coreIfHere: Core? {
        // SAFETY: as above.
        @inline(__always) get { thread.isCurrent ? unsafe machinery : nil }
    }

    /// Whether the calling thread is the loop's.
    public nonisolated var isOnLoopThread: Bool { thread.isCurrent }

    @usableFromInline
    @inline(never)
    nonisolated func trapOffThread() -> Never {
        if mailbox.isClosed { trap("An event loop was used after it was shut down. Make a new one.") }
        trap(
            """
            An event loop was used off its thread. It belongs to the thread that made it: call it from a task or an actor that runs on \
            the loop, or use post(_:).
            """)
    }
}
