import Glibc
import LoopCore
import LoopEpoll
import Synchronization

/// A thread that a test starts and joins.
final class OwnedThread {
    private var thread = pthread_t()

    // SAFETY: the reference handed to the thread is balanced there.
    func start(_ body: @escaping @Sendable () -> Void) {
        let work = Work(body)
        let failed = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(work).toOpaque())
        guard failed == 0 else { trap("no thread: error \(failed)") }
    }

    func join() { pthread_join(thread, nil) }
}

private final class Work {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// A thread with a loop of its own, turned until it is told to stop.
final class OtherLoop: Sendable {
    private let isStopping = Atomic<Bool>(false)
    private let isMade = Atomic<Bool>(false)
    private nonisolated(unsafe) var made: EventLoop?
    private nonisolated(unsafe) let thread = OwnedThread()

    // SAFETY: written before `isMade` says so, and never again.
    var loop: EventLoop? { isMade.load(ordering: .acquiring) ? unsafe made : nil }

    /// Returns when the loop is there.
    // SAFETY: as for `loop`.
    func start() {
        unsafe thread.start { [self] in
            guard let loop = try? EventLoop(port: EpollPort()) else { trap("no epoll port") }
            unsafe made = loop
            isMade.store(true, ordering: .releasing)
            while !isStopping.load(ordering: .acquiring) { loop.turn() }
            loop.shutdown()
        }
        while loop == nil { sched_yield() }
    }

    // SAFETY: started, and joined once.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        loop?.post { _ in }
        unsafe thread.join()
    }
}
