import LoopCore
import StreamOps
import _Concurrency

/// An open port as its calls see it: what a ``SerialPort`` is made of. It belongs to the value that has it.
///
/// Calls run where their caller does if that is the loop's thread: to become an actor's, and somebody else's again afterwards, costs a task
/// with a preferred executor a lock each time. A caller from elsewhere comes to the loop first. The calls that a round trip is made of are
/// here and not in the actor: what an object keeps is retained for as long as a call waits, what a value has is not (counted).
@usableFromInline struct OpenSerialPort: Sendable {
    let loop: EventLoop
    /// The stream for calls on the loop's thread, whoever makes them.
    let here: Confined<SerialStream>

    init(_ stream: SerialStream) {
        loop = stream.operations.loop
        here = Confined(stream, of: stream.operations)
    }

    /// Shows a function what is there, and drops as many bytes as it says; waits for the first.
    @usableFromInline
    nonisolated(nonsending) func lend(_ timeout: Duration?, _ body: (RawSpan) -> Int) async throws(SerialError) {
        guard let stream = here.ifOn(loop) else { return try await lendCopy(timeout, body) }
        if stream.lendAtOnce(body) { return }
        let deadline = Deadline.after(timeout, loop)
        if !stream.readTurn.takeIfFree() { try await stream.waitForReadTurn(deadline) }
        defer { stream.readTurn.give() }
        // Without a demand, and so shorter than `waitForInput`: there is room for a byte whatever the settings allow.
        while stream.input.isEmpty {
            var patience = try stream.readerPatience(deadline, nil)
            if stream.readEndsInPlace(&patience, #isolation) { continue }
            do throws(WaitError) {
                try await stream.arrivals.wait(timeout: patience)
            } catch {
                try stream.readIsOver(error, deadline, nil)
            }
        }
        stream.lend(body)
    }

    /// Writes what the driver takes at once, and says how much that was: nothing off the loop's thread.
    @usableFromInline
    func writeNow(_ bytes: [UInt8]) throws(SerialError) -> Int {
        guard !bytes.isEmpty, let stream = here.ifOn(loop) else { return 0 }
        return try stream.writeNow(bytes)
    }

    /// Writes the rest.
    @usableFromInline
    nonisolated(nonsending) func writeOn(_ bytes: [UInt8], after sent: Int, _ timeout: Duration?) async throws(SerialError) {
        guard let stream = here.ifOn(loop) else { return try await writeOn(loop, bytes, after: sent, timeout) }
        try await stream.writeOn(bytes, after: sent, timeout)
    }

    // MARK: from another thread

    private func writeOn(
        _ loop: isolated EventLoop, _ bytes: [UInt8], after sent: Int, _ timeout: Duration?
    ) async throws(SerialError) { try await writeOn(bytes, after: sent, timeout) }

    private nonisolated(nonsending) func lendCopy(_ timeout: Duration?, _ body: (RawSpan) -> Int) async throws(SerialError) {
        try await readCopies(1, timeout, nil) { bytes, _ in .take(body(bytes)) }
    }

    /// Shows copies of what is there to a function of another thread's. The turn to read is its caller's meanwhile.
    // SAFETY: the span is the array's, for the time of the call.
    nonisolated(nonsending) func readCopies(
        _ atLeast: Int, _ timeout: Duration?, _ interByte: Duration?, _ body: (RawSpan, Bool) -> StreamStep
    ) async throws(SerialError) {
        let deadline = await deadline(loop, timeout)
        var bytes = try await copyInput(loop, deadline, interByte, atLeast: atLeast, hasTurn: false)
        while true {
            switch unsafe bytes.withUnsafeBytes({ body(unsafe RawSpan(_unsafeBytes: $0), false) }) {
            case .take(let count): return await dropInput(loop, count)
            case .more(let atLeast):
                let wanted = max(atLeast, bytes.count + 1)
                bytes = try await copyInput(loop, deadline, interByte, atLeast: wanted, hasTurn: true)
            }
        }
    }

    /// What is there, when it is so many bytes. The turn to read is the caller's from here on, until ``dropInput(_:_:)``.
    private func copyInput(
        _ loop: isolated EventLoop, _ deadline: Deadline, _ interByte: Duration?, atLeast: Int, hasTurn: Bool
    ) async throws(SerialError) -> [UInt8] {
        let stream = here.on(loop)
        let timeout = deadline.left(loop.now)
        try await stream.waitForInput(timeout, interByte, demand: atLeast, hasTurn: hasTurn) { $0.byteCount < atLeast ? nil : 0 }
        return stream.input.copy()
    }

    private func deadline(_ loop: isolated EventLoop, _ timeout: Duration?) -> Deadline { Deadline.after(timeout, loop) }

    private func dropInput(_ loop: isolated EventLoop, _ taken: Int) {
        let stream = here.on(loop)
        stream.drop(taken)
        stream.readTurn.give()
    }
}
