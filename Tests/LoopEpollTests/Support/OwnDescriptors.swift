import CTestSupport
import Glibc
import LoopCore
import Synchronization
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
private func openDescriptors() -> [Int32] { (0..<4096).filter { fcntl($0, F_GETFD) >= 0 } }

/// One thread that runs a task's jobs.
@safe private final class ThreadExecutor: TaskExecutor {
    private let jobs = Mutex<[UnownedJob]>([])
    private let isStopping = Atomic<Bool>(false)
    private nonisolated(unsafe) let signal: UnsafeMutablePointer<sem_t>

    init() {
        unsafe signal = .allocate(capacity: 1)
        unsafe sem_init(signal, 0, 0)
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                // Passed by the line below.
                let executor = unsafe Unmanaged<ThreadExecutor>.fromOpaque(context!).takeRetainedValue()
                executor.run()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        if code != 0 { trap("A test could not start a thread: \(code).") }
        pthread_detach(thread)
    }

    deinit {
        unsafe sem_destroy(signal)
        unsafe signal.deallocate()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        unsafe _ = sem_post(signal)
    }

    func stop() {
        isStopping.store(true, ordering: .releasing)
        unsafe _ = sem_post(signal)
    }

    private func run() {
        let code = portloop_test_unshare_descriptors(3)
        if code != 0 { trap("A test could not have its own descriptors: \(code).") }
        while !isStopping.load(ordering: .acquiring) {
            while unsafe sem_wait(signal) != 0 {}
            guard let job = jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else { continue }
            unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
