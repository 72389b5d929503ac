@testable import LoopCore

/// What a wait threw, if it did.
func failure<R>(_ body: () async throws -> R) async -> WaitError? {
    do { _ = try await body() } catch { return error as? WaitError }
    return nil
}

/// Cancels whoever calls.
// SAFETY: the task is used within the call.
func cancelThisTask() { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }

/// Lets everything come to rest that can without time passing: a nanosecond of the mock port's, which begins when nothing else is left.
func pause(_ loop: EventLoop) async { try? await loop.restABit() }

extension EventLoop {
    fileprivate func restABit() async throws(WaitError) { try await self.sleep(for: .nanoseconds(1)) }
}

/// What a wait came to.
func outcome<R>(_ body: () async throws -> R) async -> Result<R, WaitError>? {
    do { return .success(try await body()) } catch { return (error as? WaitError).map { .failure($0) } }
}
