import CTestSupport
import Glibc
import LoopCore
import Testing

/// Runs each test on a thread with a table of descriptors of its own.
///
/// So a number that the test closes is the next one it gets, whatever other tests open meanwhile; a process that it forks holds no one
/// else's descriptors; and what is open at its end, it forgot.
struct OwnDescriptors: TestTrait, SuiteTrait, TestScoping {
    let isRecursive = true

    @concurrent
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        let executor = ThreadExecutor()
        defer { executor.stop() }
        try await withTaskExecutorPreference(executor) {
            let before = openDescriptors()
            try await function()
            #expect(openDescriptors() == before, "descriptors left open")
        }
    }
}

extension Trait where Self == OwnDescriptors {
    static var ownDescriptors: OwnDescriptors { OwnDescriptors() }
}

/// The numbers that are open in this thread's table.
///
/// Not by a range: unoptimised, each step of one takes a lock of the runtime's, which a hundred threads here would queue for.
private func openDescriptors() -> [Int32] {
    var numbers: [Int32] = []
    var number: Int32 = 0
    while number < 4096 {
        if fcntl(number, F_GETFD) >= 0 { numbers.append(number) }
        number += 1
    }
    return numbers
}

/// One thread that runs a task's jobs.
///
/// With a lock of the C library's: the thread sanitizer knows those, and not Swift's `Mutex`.
@safe private final class ThreadExecutor: TaskExecutor {
    private nonisolated(unsafe) let lock: UnsafeMutablePointer<pthread_mutex_t>
    private nonisolated(unsafe) let hasMore: UnsafeMutablePointer<pthread_cond_t>
    private nonisolated(unsafe) var jobs: [UnownedJob] = []
    private nonisolated(unsafe) var isStopping = false

    init() {
        unsafe lock = .allocate(capacity: 1)
        unsafe hasMore = .allocate(capacity: 1)
        unsafe pthread_mutex_init(lock, nil)
        unsafe pthread_cond_init(hasMore, nil)
        Helper { [self] in run() }.detach()
    }

    deinit {
        unsafe pthread_cond_destroy(hasMore)
        unsafe pthread_mutex_destroy(lock)
        unsafe hasMore.deallocate()
        unsafe lock.deallocate()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        change { unsafe jobs.append(job) }
    }

    func stop() { change { unsafe isStopping = true } }

    private func change(_ body: () -> Void) {
        unsafe pthread_mutex_lock(lock)
        body()
        unsafe pthread_cond_signal(hasMore)
        unsafe pthread_mutex_unlock(lock)
    }

    private func run() {
        let code = portloop_test_unshare_descriptors(3)
        if code != 0 { trap("A test could not have its own descriptors: \(code).") }
        while let job = next() { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    private func next() -> UnownedJob? {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        while unsafe jobs.isEmpty && !isStopping { unsafe pthread_cond_wait(hasMore, lock) }
        return unsafe jobs.isEmpty ? nil : jobs.removeFirst()
    }
}
