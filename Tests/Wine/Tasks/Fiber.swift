internal import LoopCore
internal import _Concurrency

/// A case's body that is a task on the loop, as an application's code is.
private final class Fiber: Sendable {
    // SAFETY: the loop's thread alone.
    private nonisolated(unsafe) var end: Result<Void, Unmet>?

    func run(_ body: @Sendable (isolated EventLoop) async throws(Unmet) -> Void, on loop: isolated EventLoop) async {
        do throws(Unmet) {
            try await body(loop)
            unsafe end = .success(())
        } catch {
            unsafe end = .failure(error)
        }
    }

    var result: Result<Void, Unmet>? { unsafe end }
}

extension Win32Bench {
    /// Runs a task on the loop, and turns the loop until the task has ended. A task that does not end is the watchdog's.
    func run(_ body: @escaping @Sendable (isolated EventLoop) async throws(Unmet) -> Void) throws(Unmet) {
        let fiber = Fiber()
        try Jobs.live(on: loop) { () throws(Unmet) in
            Task { [loop] in await fiber.run(body, on: loop) }
            while fiber.result == nil { loop.turn(.until(loop.now.advanced(by: 1_000_000_000))) }
            loop.turn(.poll)
        }
        try fiber.result?.get()
    }
}
