import Glibc

/// A thread of the system that runs one function: for what only real threads can show.
struct RealThread: Sendable {
    private let id: pthread_t

    /// The number of the present thread.
    static var current: UInt { UInt(pthread_self()) }

    // SAFETY: the box is handed to the new thread, which takes it once.
    init(_ body: @escaping @Sendable () -> Void) {
        var id = pthread_t()
        let box = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        let code = unsafe pthread_create(&id, nil, RealThread.run, box)
        guard code == 0 else { fatalError("pthread_create said \(code)") }
        self.id = id
    }

    func join() { _ = pthread_join(id, nil) }

    /// Runs a function on another thread, and waits for its end.
    static func elsewhere(_ body: @escaping @Sendable () -> Void) { RealThread(body).join() }

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
