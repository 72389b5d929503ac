internal import LoopCore
internal import _Concurrency

extension ByteStream {
    /// Reads what is there, at most `max` bytes, and at least one: waits for the first. No bytes mean that the other side has ended.
    @inlinable
    public nonisolated(nonsending) func read(max: Int = 65_536, timeout: Duration? = nil) async throws(Failure) -> [UInt8] {
        guard max > 0 else { trapNoRoom(max) }
        var result: [UInt8] = []
        try await read(atLeast: 1, timeout: timeout, interByte: nil) { bytes, _ in
            let count = min(bytes.byteCount, max)
            result = bytes.copied(0..<count)
            return .take(count)
        }
        return result
    }

    /// Lends what is there to a function, which says how many of the bytes it took; waits for the first. No bytes mean that the other side
    /// has ended. Nothing is copied, unless the caller is on another thread than the loop's.
    @inlinable
    public nonisolated(nonsending) func read<R>(
        timeout: Duration? = nil, _ body: (_ bytes: RawSpan, _ taken: inout Int) -> R
    ) async throws(Failure) -> R {
        var result: R?
        try await read(atLeast: 1, timeout: timeout, interByte: nil) { bytes, _ in
            var taken = 0
            result = body(bytes, &taken)
            return .take(taken)
        }
        guard let result else { trapUnanswered() }
        return result
    }

    /// Reads so many bytes. Where the time is up before they are all there, those that are wait for the next read.
    public nonisolated(nonsending) func readExactly(
        _ count: Int, timeout: Duration? = nil, interByte: Duration? = nil
    ) async throws(Failure) -> [UInt8] {
        guard count >= 0 else { trap("A read asks for no bytes at least, not for \(count).") }
        var result: [UInt8] = []
        try await read(atLeast: count, timeout: timeout, interByte: interByte) { bytes, _ in
            // The other side has ended.
            guard bytes.byteCount >= count else { return .more(atLeast: count) }
            result = bytes.copied(0..<count)
            return .take(count)
        }
        return result
    }

    /// Reads up to and with a delimiter. Where `limit` bytes come without one this throws ``StreamFailure/frameTooLong(limit:)``, and they
    /// are still there to be read.
    public nonisolated(nonsending) func readUntil(
        _ delimiter: [UInt8], limit: Int = 65_536, timeout: Duration? = nil, interByte: Duration? = nil
    ) async throws(Failure) -> [UInt8] {
        guard !delimiter.isEmpty else { trap("A delimiter has one byte at least.") }
        var search = DelimiterSearch(delimiter)
        var result: [UInt8]?
        try await read(atLeast: 1, timeout: timeout, interByte: interByte) { bytes, _ in
            if let end = search.end(in: bytes, limit: limit) {
                result = bytes.copied(0..<end)
                return .take(end)
            }
            return bytes.byteCount >= limit ? .take(0) : .more(atLeast: bytes.byteCount + 1)
        }
        guard let result else { throw .frameTooLong(limit: limit) }
        return result
    }

    /// Reads a line, without its end: a line feed, and a carriage return before it if there is one.
    public nonisolated(nonsending) func readLine(
        limit: Int = 65_536, timeout: Duration? = nil, interByte: Duration? = nil
    ) async throws(Failure) -> [UInt8] {
        var line = try await readUntil([0x0A], limit: limit, timeout: timeout, interByte: interByte)
        line.removeLast()
        if line.last == 0x0D { line.removeLast() }
        return line
    }

    /// Writes the bytes of a text, in UTF-8.
    public nonisolated(nonsending) func write(_ text: String, timeout: Duration? = nil) async throws(Failure) {
        try await write([UInt8](text.utf8), timeout: timeout)
    }

    /// Writes all of it, however long that takes.
    @_disfavoredOverload
    public nonisolated(nonsending) func write(_ bytes: [UInt8]) async throws(Failure) { try await write(bytes, timeout: nil) }

    /// Copies what comes from here to another stream, until this side's peer has ended, and returns how many bytes that were. What has been
    /// read and could not be written is lost with the other stream.
    @discardableResult
    public nonisolated(nonsending) func copy<Sink: ByteStream>(
        to sink: Sink, pieces: Int = 65_536, timeout: Duration? = nil
    ) async throws(CopyError<Failure, Sink.Failure>) -> Int {
        var copied = 0
        while true {
            let bytes: [UInt8]
            do throws(Failure) { bytes = try await read(max: pieces, timeout: timeout) } catch { throw .reading(error) }
            guard !bytes.isEmpty else { return copied }
            do throws(Sink.Failure) { try await sink.write(bytes, timeout: timeout) } catch { throw .writing(error) }
            copied += bytes.count
        }
    }
}

/// Which end of a ``ByteStream/copy(to:pieces:timeout:)`` failed.
public enum CopyError<Source: StreamFailure, Sink: StreamFailure>: Error, Hashable {
    case reading(Source)
    case writing(Sink)
}

@usableFromInline
func trapNoRoom(_ max: Int) -> Never { trap("A read asks for one byte at least, not for \(max).") }

@usableFromInline
package func trapUnanswered() -> Never { trap("A read returned without having asked its function. This is a bug of Portloop.") }
