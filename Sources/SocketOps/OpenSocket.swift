import LoopCore
import StreamOps
import _Concurrency

/// A connected socket as its calls see it: what a ``StreamSocket`` is made of. It belongs to the value that has it.
public struct OpenSocket: Sendable {
    let loop: EventLoop
    /// The stream for calls on the loop's thread, whoever makes them: they need not become an actor's first.
    let here: Confined<SocketStream>

    init(_ stream: SocketStream) {
        loop = stream.operations.loop
        here = Confined(stream, of: stream.operations)
    }

    /// Whoever had the socket is gone: it is closed.
    func drop() { here.tell(loop) { $0.finish(.closed) } }
}

// MARK: reading

extension OpenSocket {
    // The wait stands in the call itself: each async function in between costs a hundred instructions. And nothing else does: what a call
    // keeps while it waits is memory of each idle connection.

    @usableFromInline
    nonisolated(nonsending) func read(
        _ atLeast: Int, _ timeout: Duration?, _ interByte: Duration?, _ body: (RawSpan, Bool) -> StreamStep
    ) async throws(SocketError) {
        guard let stream = here.ifOn(loop) else { return try await readCopies(atLeast, timeout, interByte, body) }
        let deadline = Deadline.after(timeout, loop)
        if !stream.readTurn.takeIfFree() { try await stream.waitForReadTurn(deadline) }
        defer { stream.readTurn.give() }
        var wanted = atLeast
        while try !stream.readNow(&wanted, body) {
            guard let wait = try stream.beginWait(deadline) else { continue }
            let patience = timeout == nil && interByte == nil ? nil : stream.patience(deadline, interByte)
            let end: WaitEnd
            do throws(OperationError) {
                end = try await stream.operations.awaitEnd(of: wait, timeout: patience)
            } catch {
                throw stream.waitHasFailed(error)
            }
            try stream.waitHasEnded(wait, end)
        }
    }

    @usableFromInline
    nonisolated(nonsending) func read(into buffer: inout IOBuffer, _ timeout: Duration?) async throws(SocketError) -> Int {
        guard buffer.room > 0 else { trap("A read was given a buffer without room. Take bytes out of it first.") }
        guard let stream = here.ifOn(loop) else { return try await readCopy(into: &buffer, timeout) }
        let deadline = Deadline.after(timeout, loop)
        if !stream.readTurn.takeIfFree() { try await stream.waitForReadTurn(deadline) }
        defer { stream.readTurn.give() }
        while true {
            if let count = try stream.readNow(into: &buffer) { return count }
            guard let wait = try stream.beginWait(deadline) else { continue }
            let patience = timeout == nil ? nil : stream.patience(deadline, nil)
            let end: WaitEnd
            do throws(OperationError) {
                end = try await stream.operations.awaitEnd(of: wait, timeout: patience)
            } catch {
                throw stream.waitHasFailed(error)
            }
            try stream.waitHasEnded(wait, end)
        }
    }

    // MARK: from another thread

    /// Shows copies of what is there to a function of another thread's. The turn to read is its caller's meanwhile.
    // SAFETY: the span is the array's, for the time of the call.
    @inline(never)
    private nonisolated(nonsending) func readCopies(
        _ atLeast: Int, _ timeout: Duration?, _ interByte: Duration?, _ body: (RawSpan, Bool) -> StreamStep
    ) async throws(SocketError) {
        let deadline = try await takeReadTurn(loop, timeout).get()
        var wanted = atLeast
        while true {
            let bytes = try await copyInput(loop, deadline, interByte, wanted)
            let isOver = bytes.count < wanted
            switch unsafe bytes.withUnsafeBytes({ body(unsafe RawSpan(_unsafeBytes: $0), isOver) }) {
            case .take(let count): return await dropInput(loop, count)
            case .more(let atLeast):
                if isOver {
                    await dropInput(loop, 0)
                    throw .ended(received: bytes.count)
                }
                wanted = max(atLeast, bytes.count + 1)
            }
        }
    }

    @inline(never)
    private nonisolated(nonsending) func readCopy(into buffer: inout IOBuffer, _ timeout: Duration?) async throws(SocketError) -> Int {
        var moved = 0
        try await readCopies(1, timeout, nil) { bytes, _ in
            moved = buffer.append(bytes)
            return .take(moved)
        }
        return moved
    }

    private func takeReadTurn(_ loop: isolated EventLoop, _ timeout: Duration?) async -> Result<Deadline, SocketError> {
        let (deadline, stream) = (Deadline.after(timeout, loop), here.on(loop))
        do throws(SocketError) {
            if !stream.readTurn.takeIfFree() { try await stream.waitForReadTurn(deadline) }
        } catch {
            return .failure(error)
        }
        return .success(deadline)
    }

    /// What is there, when it is so many bytes, or when the other side has ended. The caller has the turn, but not where this throws.
    private func copyInput(
        _ loop: isolated EventLoop, _ deadline: Deadline, _ interByte: Duration?, _ count: Int
    ) async throws(SocketError) -> [UInt8] {
        let stream = here.on(loop)
        do throws(SocketError) {
            var (wanted, found) = (count, [UInt8]())
            let copy = { (bytes: RawSpan, isOver: Bool) -> StreamStep in
                found = bytes.copied(0..<bytes.byteCount)
                return .take(0)
            }
            while try !stream.readNow(&wanted, copy) { try await stream.waitForInput(deadline, interByte) }
            return found
        } catch {
            stream.readTurn.give()
            throw error
        }
    }

    private func dropInput(_ loop: isolated EventLoop, _ count: Int) async {
        let stream = here.on(loop)
        stream.drop(count)
        stream.readTurn.give()
    }
}

// MARK: writing

extension OpenSocket {
    @usableFromInline
    func writeNow(_ bytes: RawSpan) throws(SocketError) -> Int {
        let stream = here.on(loop)
        return stream.writeTurn.isFree ? try stream.writeNow(bytes) : 0
    }

    @usableFromInline
    nonisolated(nonsending) func write(_ bytes: [UInt8], _ timeout: Duration?) async throws(SocketError) {
        guard let stream = here.ifOn(loop) else { return try await write(loop, bytes, timeout) }
        var sent = 0
        if stream.writeTurn.isFree {
            sent = try stream.writeNow(bytes)
            if sent == bytes.count { return }
        }
        try await writeOn(stream, bytes[sent...], timeout, moved: sent)
    }

    @usableFromInline
    nonisolated(nonsending) func write(_ buffer: borrowing IOBuffer, _ timeout: Duration?) async throws(SocketError) {
        guard let stream = here.ifOn(loop) else { return try await write(loop, buffer.copyBytes(), timeout) }
        var sent = 0
        if stream.writeTurn.isFree {
            sent = try buffer.withBytes { bytes throws(SocketError) in try stream.writeNow(bytes) }
            if sent == buffer.count { return }
        }
        try await writeOn(stream, buffer.copyBytes()[sent...], timeout, moved: sent)
    }

    @usableFromInline
    nonisolated(nonsending) func write(pieces: [[UInt8]], _ timeout: Duration?) async throws(SocketError) {
        guard let stream = here.ifOn(loop) else { return try await write(loop, pieces.flatMap { $0 }, timeout) }
        var (rest, first, sent) = (pieces[...], 0, 0)
        while stream.writeTurn.isFree, !rest.isEmpty {
            let count = try stream.writeNow(rest, skipping: first)
            guard count > 0 else { break }
            sent += count
            first += count
            while let piece = rest.first, first >= piece.count {
                first -= piece.count
                rest = rest.dropFirst()
            }
        }
        if rest.isEmpty { return }
        // What there is no room for is put together, once.
        let left = rest.flatMap { $0 }
        try await writeOn(stream, left[first...], timeout, moved: sent)
    }

    /// From another thread: as one of the loop's calls.
    private func write(_ loop: isolated EventLoop, _ bytes: [UInt8], _ timeout: Duration?) async throws(SocketError) {
        try await write(bytes, timeout)
    }

    /// The rest of a write, where the kernel has no room at present or somebody else writes.
    private nonisolated(nonsending) func writeOn(
        _ stream: SocketStream, _ rest: ArraySlice<UInt8>, _ timeout: Duration?, moved: Int
    ) async throws(SocketError) {
        let deadline = Deadline.after(timeout, loop)
        try await stream.takeWriteTurn(deadline)
        defer { stream.writeTurn.give() }
        try await stream.writeOn(rest, deadline, moved: moved)
    }

    @usableFromInline
    nonisolated(nonsending) func finishWriting(_ timeout: Duration?) async throws(SocketError) {
        guard let stream = here.ifOn(loop) else { return try await finishWriting(loop, timeout) }
        try await stream.takeWriteTurn(Deadline.after(timeout, loop))
        defer { stream.writeTurn.give() }
        try stream.finishWriting()
    }

    private func finishWriting(_ loop: isolated EventLoop, _ timeout: Duration?) async throws(SocketError) {
        try await finishWriting(timeout)
    }
}

// MARK: ending

extension OpenSocket {
    @usableFromInline
    nonisolated(nonsending) func close(aborting: Bool) async {
        guard let stream = here.ifOn(loop) else { return await close(loop, aborting) }
        stream.finish(.closed, aborting: aborting)
        await stream.awaitClose()
    }

    private func close(_ loop: isolated EventLoop, _ aborting: Bool) async { await close(aborting: aborting) }

    /// Says that nothing more comes, hears the other side out, and closes: for at most so long.
    @usableFromInline
    nonisolated(nonsending) func closeGracefully(_ bound: Duration) async {
        guard let stream = here.ifOn(loop) else { return await closeGracefully(loop, bound) }
        let deadline = Deadline.after(bound, loop)
        do throws(SocketError) {
            try await finishWriting(deadline.left(loop.now))
            var isOver = false
            while !isOver {
                try await read(1, deadline.left(loop.now), nil) { bytes, over in
                    isOver = over
                    return .take(bytes.byteCount)
                }
            }
        } catch {
            // It is closed all the same.
        }
        stream.finish(.closed)
        await stream.awaitClose()
    }

    private func closeGracefully(_ loop: isolated EventLoop, _ bound: Duration) async { await closeGracefully(bound) }
}
