#if !hasFeature(Embedded)
// A throwing sequence is what the embedded runtime lacks; `read(max:timeout:)` is the same there.
extension SerialPort {
    /// The bytes that come from here on, one at a time, until the port is closed.
    public nonisolated var bytes: Bytes { Bytes(port: self) }

    /// The bytes of one port. A loop that stops in the middle leaves the rest to the next read.
    public struct Bytes: AsyncSequence, AsyncIteratorProtocol, Sendable {
        fileprivate let port: SerialPort

        public func makeAsyncIterator() -> Bytes { self }

        public func next(isolation actor: isolated (any Actor)? = #isolation) async throws(SerialError) -> UInt8? { try await next() }

        public func next() async throws(SerialError) -> UInt8? {
            do throws(SerialError) {
                return try await port.read { bytes, taken in
                    taken = 1
                    return bytes.byte(at: 0)
                }
            } catch {
                if error == .closed { return nil }
                throw error
            }
        }
    }
}
#endif
