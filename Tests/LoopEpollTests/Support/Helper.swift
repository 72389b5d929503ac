import CLoopEpoll
import Glibc
import LoopCore
import Synchronization

/// A thread beside the test's, for what has to come from elsewhere.
struct Helper {
    private let thread: pthread_t

    init(_ body: @escaping @Sendable () -> Void) {
        let box = unsafe Unmanaged.passRetained(Box(body: body))
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        if code != 0 { trap("A test could not start a thread: \(code).") }
        self.thread = thread
    }

    func join() { pthread_join(thread, nil) }

    func detach() { pthread_detach(thread) }

    private final class Box {
        let body: @Sendable () -> Void

        init(body: @escaping @Sendable () -> Void) { self.body = body }
    }
}

/// A count that one thread advances and another watches.
final class Turns: Sendable {
    private let turns = Atomic<Int>(0)

    var count: Int { turns.load(ordering: .acquiring) }

    func advance() { turns.add(1, ordering: .releasing) }
}

func clock() -> UInt64 { portloop_monotonic_nanoseconds() }

/// An expectation in a process of its own, where there is no test to record it.
func require(_ isTrue: Bool, line: UInt = #line) {
    if !isTrue { trap("The expectation of line \(line) does not hold.") }
}
