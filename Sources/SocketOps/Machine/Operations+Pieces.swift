import LoopCore
import StreamOps
import _Concurrency

extension Operations {
    /// Writes a piece of what somebody writes, by an operation that waits for room. How many bytes had left, which are all of them where
    /// this does not throw but where the system wrote less. `moved` is what had left before, and `ending` why the stream serves nobody any
    /// more.
    nonisolated(nonsending) func write(
        _ piece: ArraySlice<UInt8>, on handle: AssociatedHandle, _ deadline: Deadline, moved: Int, _ ending: () -> SocketError?
    ) async throws(SocketError) -> Int {
        let outcome: Outcome
        do throws(OperationError) {
            outcome = try await perform(on: handle, capacity: piece.count, timeout: deadline.left(now)) { op in
                op.withBuffer { buffer in
                    // SAFETY: the buffer has room for as many bytes.
                    unsafe buffer.withUnsafeMutableBytes { unsafe $0.copyBytes(from: piece) }
                }
                return op.write(count: piece.count)
            }
        } catch {
            throw ending() ?? SocketError(error, .write, moved: moved)
        }
        let count = max(0, outcome.count)
        if count == piece.count { return count }
        if let ending = ending() { throw ending }
        switch outcome.end {
        case .timedOut: throw .timedOut(.write, moved: moved + count)
        case .cancelled: throw .cancelled(.write, moved: moved + count)
        case .stuck: throw .stuck(.write)
        case .finished: break
        }
        guard outcome.error == .none else { throw SocketError(outcome.error, .write) }
        return count
    }
}
