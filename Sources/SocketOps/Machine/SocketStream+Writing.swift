import LoopCore
import StreamOps
import _Concurrency

extension SocketStream {
    /// Sends what the kernel takes at once, and says how much that was.
    // SAFETY: the bytes are the slice's, for the time of the call.
    func writeNow(_ bytes: ArraySlice<UInt8>) throws(SocketError) -> Int {
        try checkWriting()
        return try sent(unsafe bytes.withUnsafeBytes { unsafe native.send($0) })
    }

    // SAFETY: the bytes are the array's, for the time of the call.
    func writeNow(_ bytes: [UInt8]) throws(SocketError) -> Int {
        try checkWriting()
        return try sent(unsafe bytes.withUnsafeBytes { unsafe native.send($0) })
    }

    // SAFETY: the bytes are the span's, for the time of the call.
    func writeNow(_ bytes: RawSpan) throws(SocketError) -> Int {
        try checkWriting()
        return try sent(unsafe bytes.withUnsafeBytes { unsafe native.send($0) })
    }

    func writeNow(_ pieces: ArraySlice<[UInt8]>, skipping first: Int) throws(SocketError) -> Int {
        try checkWriting()
        return try sent(native.send(pieces: pieces, skipping: first))
    }

    private func checkWriting() throws(SocketError) {
        if let ending { throw ending }
        if isFinished { throw .closed }
    }

    private func sent(_ moved: Moved) throws(SocketError) -> Int {
        switch moved {
        case .bytes(let count): return count
        case .wouldBlock: return 0
        case .failed(let code): throw SocketError(code, .write)
        }
    }

    /// Takes the writer's turn, or waits for it.
    nonisolated(nonsending) func takeWriteTurn(_ deadline: Deadline) async throws(SocketError) {
        if writeTurn.takeIfFree() { return }
        do throws(WaitError) { try await writeTurn.wait(deadline) } catch { throw ending ?? SocketError(error, .write) }
    }

    /// Writes bytes for which the kernel has no room at present: in pieces, each of which it is given when there is. `moved` is what had
    /// left before. The caller has the turn.
    nonisolated(nonsending) func writeOn(_ bytes: ArraySlice<UInt8>, _ deadline: Deadline, moved: Int) async throws(SocketError) {
        var rest = bytes
        while !rest.isEmpty {
            let piece = rest.prefix(SocketStream.pieceMax)
            let count = try await writePiece(piece, deadline, moved: moved + bytes.count - rest.count)
            rest = rest.dropFirst(count)
            // There may be room for more at once, now that there was some.
            if rest.isEmpty { return }
            rest = rest.dropFirst(try writeNow(rest))
        }
    }

    private nonisolated(nonsending) func writePiece(
        _ piece: ArraySlice<UInt8>, _ deadline: Deadline, moved: Int
    ) async throws(SocketError) -> Int {
        try checkWriting()
        if NativeSocket.countsCancelledWrites {
            return try await operations.write(piece, on: handle, deadline, moved: moved) { ending }
        }
        try await waitForRoom(deadline, moved: moved)
        return try writeNow(piece)
    }

    /// Waits until the kernel has room, and gives it nothing meanwhile.
    private nonisolated(nonsending) func waitForRoom(_ deadline: Deadline, moved: Int) async throws(SocketError) {
        let outcome: Outcome
        do throws(OperationError) {
            outcome = try await operations.perform(on: handle, timeout: deadline.left(operations.now)) { op in op.poll(.writable) }
        } catch {
            throw ending ?? SocketError(error, .write, moved: moved)
        }
        if let ending { throw ending }
        switch outcome.end {
        case .timedOut: throw .timedOut(.write, moved: moved)
        case .cancelled: throw .cancelled(.write, moved: moved)
        case .stuck: throw .stuck(.write)
        case .finished: break  // Why there will be no room the next write hears.
        }
    }

    /// Bytes that a writer's operation has memory for while it waits.
    private static let pieceMax = 64 << 10
}
