internal import LoopCore
@_exported public import StreamOps
internal import _Concurrency

extension SerialPort: ByteStream {
    /// As ``ByteStream`` says. Where the time is up first nothing is lost.
    public nonisolated(nonsending) func read(
        atLeast: Int, timeout: Duration?, interByte: Duration?, until body: (_ bytes: RawSpan, _ isOver: Bool) -> StreamStep
    ) async throws(SerialError) {
        guard let stream = opened.here.ifOn(loop) else { return try await opened.readCopies(atLeast, timeout, interByte, body) }
        var wanted = atLeast
        let taken = try await stream.waitForInput(timeout, interByte, demand: wanted) { bytes in
            guard bytes.byteCount >= wanted else { return nil }
            switch body(bytes, false) {
            case .take(let count): return count
            case .more(let atLeast):
                wanted = max(atLeast, bytes.byteCount + 1)
                return nil
            }
        }
        defer { stream.readTurn.give() }
        stream.drop(taken)
    }

    /// As ``close(draining:)``, without waiting for what has not been sent.
    public nonisolated(nonsending) func end() async { await close() }
}

extension SerialError: StreamFailure {
    /// A serial port has no other end that ends: its device goes.
    public static func ended(received: Int) -> SerialError { .disconnected }
}
