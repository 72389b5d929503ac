import Glibc
import Synchronization

/// A thread of the system that runs one function: for what only real threads can show.
struct RealThread: Sendable {
    private let id: pthread_t

    /// The number of the present thread: its own for life, and no other's ever.
    ///
    /// Not `pthread_self`: glibc declares it `const`, so in an async function the optimiser takes the number from before a suspension
    /// for the one behind it, where the task may be on another thread (seen).
    // SAFETY: the pointer is a number in disguise, and is never followed.
    static var current: UInt {
        if let known = unsafe pthread_getspecific(key) { return UInt(bitPattern: known) }
        let number = last.wrappingAdd(1, ordering: .relaxed).newValue
        _ = unsafe pthread_setspecific(key, UnsafeRawPointer(bitPattern: number))
        return number
    }

    private static let last = Atomic<UInt>(0)

    // SAFETY: the key is made before it is read.
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let code = unsafe pthread_key_create(&key, nil)
        guard code == 0 else { fatalError("pthread_key_create said \(code)") }
        return key
    }()

    // SAFETY: the box is handed to the new thread, which takes it once.
    init(_ body: @escaping @Sendable () -> Void) {
        var id = pthread_t()
        let box = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        let code = unsafe pthread_create(&id, nil, RealThread.run, box)
        guard code == 0 else { fatalError("pthread_create said \(code)") }
        self.id = id
    }

    func join() { _ = pthread_join(id, nil) }

    /// Lets other threads run first.
    static func giveWay() { sched_yield() }

    /// Leaves the thread to itself.
    func detach() { _ = pthread_detach(id) }

    /// Runs a function on another thread, and waits for its end.
    static func elsewhere(_ body: @escaping @Sendable () -> Void) { RealThread(body).join() }

    /// Runs a function on a thread of its own, and leaves the present one to others meanwhile: for a loop whose tasks need the pool that
    /// tests run on.
    static func besides<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            RealThread { continuation.resume(with: Result { try body() }) }.detach()
        }
    }

    /// Runs a function on `count` threads at once, and waits for the end of all.
    static func crowd(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        for thread in (0..<count).map({ number in RealThread { body(number) } }) { thread.join() }
    }

    // SAFETY: the argument is what `init` gave, and is taken here alone.
    private static let run: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { box in
        if let box = unsafe box { unsafe Unmanaged<Body>.fromOpaque(box).takeRetainedValue().call() }
        return nil
    }

    private final class Body: Sendable {
        let call: @Sendable () -> Void

        init(_ call: @escaping @Sendable () -> Void) { self.call = call }
    }
}
