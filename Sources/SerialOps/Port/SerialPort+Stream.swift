internal import LoopCore
@_exported public import StreamOps
internal import _Concurrency

extension SerialPort: ByteStream {
    /// As ``ByteStream`` says. Where the time is up first nothing is lost.
    public nonisolated(nonsending) func read(
        timeout: Duration?, interByte: Duration?, until body: (_ bytes: RawSpan, _ isOver: Bool) -> StreamStep
    ) async throws(SerialError) {
        guard loop.isOnLoopThread else { return try await readCopies(timeout, interByte, body) }
        let stream = here.on(loop)
        var atLeast = 1
        let taken = try await stream.waitForInput(timeout, interByte, demand: atLeast) { bytes in
            switch body(bytes, false) {
            case .take(let count): return count
            case .more(let wanted):
                atLeast = wanted
                return nil
            }
        }
        defer { stream.readTurn.give() }
        stream.drop(taken)
    }

    /// Shows copies of what is there to a function of another thread's. The turn to read is its caller's meanwhile.
    // SAFETY: the span is the array's, for the time of the call.
    private nonisolated(nonsending) func readCopies(
        _ timeout: Duration?, _ interByte: Duration?, _ body: (RawSpan, Bool) -> StreamStep
    ) async throws(SerialError) {
        let deadline = await deadline(timeout)
        // What is there is looked at first, as on the loop's own thread.
        var bytes = try await copyInput(deadline, nil, atLeast: 0, hasTurn: false)
        while true {
            switch unsafe bytes.withUnsafeBytes({ body(unsafe RawSpan(_unsafeBytes: $0), false) }) {
            case .take(let count): return await dropInput(count)
            case .more(let atLeast):
                let wanted = max(atLeast, bytes.count + 1)
                bytes = try await copyInput(deadline, interByte, atLeast: wanted, hasTurn: true)
            }
        }
    }

    /// As ``close(draining:)``, without waiting for what has not been sent.
    public nonisolated(nonsending) func end() async { await close() }
}

extension SerialError: StreamFailure {
    /// A serial port has no other end that ends: its device goes.
    public static func ended(received: Int) -> SerialError { .disconnected }
}
