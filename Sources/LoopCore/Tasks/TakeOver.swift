#if compiler(>=6.3) && !compiler(>=6.4) && !hasFeature(Embedded)
internal import Synchronization
@_spi(ExperimentalCustomExecutors) @_spi(ExperimentalScheduling) internal import _Concurrency

/// Makes one loop the executor of everything: of the main actor, of plain `Task {}` and task groups, and the timer of `Task.sleep`. The
/// process then has one thread, and Dispatch is never started. Tasks of any kind take their steps between actors of the loop and the main
/// actor without queueing, and fibers cost less than otherwise, because they need to prefer no executor.
///
/// It stands on a private interface of the Swift 6.3 runtime, so it exists for that toolchain alone, and it is opt-in: nothing else here
/// needs it.
public enum TakeOver {
    /// Takes over, runs `body` on the main actor, and returns when it and every fiber has returned.
    ///
    /// Call it once, first thing in a synchronous `main`, on the thread that made the loop: a task that was started before keeps the
    /// executor it had. Tasks that are no fibers are left where they are when `body` returns.
    public static func run<R: Sendable, E: Error>(
        _ loop: EventLoop, _ body: @escaping @MainActor @Sendable () async throws(E) -> R
    ) throws(E) -> R {
        guard loop.isOnLoopThread else { trap("A loop takes over on the thread that made it.") }
        guard Chosen.claim(loop) else { trap("A loop has taken over before. There is one main executor in a process.") }
        _createExecutors(factory: Factory.self)
        loop.isDefaultExecutor.store(true, ordering: .relaxed)
        return try loop.run { _ async throws(E) in try await body() }
    }
}

/// The loop that has taken over. The runtime asks for its executors by type, so there is one place for it in the process.
private enum Chosen {
    private static let executor = AtomicLazyReference<Facade>()

    /// False if another loop was first.
    static func claim(_ loop: EventLoop) -> Bool { executor.storeIfNil(Facade(loop)).loop === loop }

    static var facade: Facade {
        guard let facade = executor.load() else { trap("The runtime asked for an executor before a loop took over.") }
        return facade
    }
}

private enum Factory: ExecutorFactory {
    static var mainExecutor: any MainExecutor { Chosen.facade }
    static var defaultExecutor: any TaskExecutor { Chosen.facade }
}

/// The loop, as the runtime wants its main executor. To the tasks it is the loop itself: a step from the main actor to an actor of the
/// loop's queues nothing.
private final class Facade: MainExecutor, TaskExecutor, SchedulingExecutor, Sendable {
    let loop: EventLoop

    init(_ loop: EventLoop) { self.loop = loop }

    var isMainExecutor: Bool { true }

    func run() throws { trap("The main executor is driven by TakeOver.run.") }

    func stop() { trap("The main executor ends with the function that TakeOver.run was given.") }

    // SAFETY: the loop lives as long as the process: the place it was chosen in is never emptied.
    func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    // SAFETY: as above.
    func asUnownedTaskExecutor() -> UnownedTaskExecutor { unsafe loop.asUnownedTaskExecutor() }

    func checkIsolated() { loop.checkIsolated() }

    func isIsolatingCurrentContext() -> Bool? { loop.isIsolatingCurrentContext() }

    func enqueue(_ job: consuming ExecutorJob) { loop.enqueue(job) }

    /// A sleep's end. The runtime cancels none of these: a sleep that was cancelled finds itself done.
    func enqueue<C: Clock>(_ job: consuming ExecutorJob, after delay: C.Duration, tolerance: C.Duration?, clock: C) {
        let job = UnownedJob(job)
        guard let delay = delay as? Duration else { trap("A sleep on a clock of another kind of duration cannot run on the loop.") }
        loop.post { loop in
            let end = loop.now.advanced(by: delay.wholeNanoseconds)
            _ = loop.core.timers.insert(end, .call { [loop] in loop.core.enqueue(job) })
        }
    }
}
#elseif compiler(<6.3) || compiler(>=6.4)
/// Needs the Swift 6.3 toolchain: it stands on a private interface of that runtime.
@available(*, unavailable, message: "TakeOver needs the Swift 6.3 toolchain: it stands on a private interface of that runtime")
public enum TakeOver {}
#endif
