public import LoopCore
@_exported public import StreamOps
internal import _Concurrency

/// A connected socket, of whatever kind: what ``TCPStream`` and ``UnixStream`` have in common.
///
/// Nothing is received before somebody reads, so a slow reader holds back the other side; and a write returns when the system has taken the
/// last byte, so a slow other side holds back the writer. An idle connection has no buffer. Calls may come from any task, of any thread;
/// those on the loop's own thread stay where they are.
///
/// A task that is cancelled, or whose time is up, has lost no byte: what was received is there for the next read, and the error of a write
/// says how many bytes had left.
public protocol StreamSocket: ByteStream where Failure == SocketError {
    /// What the calls are made with.
    nonisolated var socket: OpenSocket { get }
}

extension StreamSocket {
    /// As ``ByteStream`` says; what is shown lies where the system put it, unless the caller is on another thread.
    @inlinable
    public nonisolated(nonsending) func read(
        atLeast: Int, timeout: Duration?, interByte: Duration?, until body: (_ bytes: RawSpan, _ isOver: Bool) -> StreamStep
    ) async throws(SocketError) { try await socket.read(atLeast, timeout, interByte, body) }

    /// As ``ByteStream`` says, without the switch of executors behind a call whose function is known only when it is made.
    @inlinable
    public nonisolated(nonsending) func read<R>(
        timeout: Duration? = nil, _ body: (_ bytes: RawSpan, _ taken: inout Int) -> R
    ) async throws(SocketError) -> R {
        var result: R?
        try await socket.read(1, timeout, nil) { bytes, _ in
            var taken = 0
            result = body(bytes, &taken)
            return .take(taken)
        }
        guard let result else { trapUnanswered() }
        return result
    }

    /// Reads what is there into a buffer's room, at least one byte: waits for the first. Returns how many bytes it put behind those in the
    /// buffer; none mean that the other side has ended. The buffer MUST have room.
    @inlinable
    public nonisolated(nonsending) func read(into buffer: inout IOBuffer, timeout: Duration? = nil) async throws(SocketError) -> Int {
        try await socket.read(into: &buffer, timeout)
    }

    /// Writes all of it: returns when the system has taken the last byte, which is before the other side has it.
    ///
    /// Where the time is up or the task is cancelled first the error says how many bytes had left.
    @inlinable
    public nonisolated(nonsending) func write(_ bytes: [UInt8], timeout: Duration? = nil) async throws(SocketError) {
        try await socket.write(bytes, timeout)
    }

    /// Writes all that is in a buffer.
    @inlinable
    public nonisolated(nonsending) func write(_ buffer: borrowing IOBuffer, timeout: Duration? = nil) async throws(SocketError) {
        try await socket.write(buffer, timeout)
    }

    /// Writes all of the pieces, one behind the other and with nothing in between, without putting them together first.
    @inlinable
    public nonisolated(nonsending) func write(pieces: [[UInt8]], timeout: Duration? = nil) async throws(SocketError) {
        try await socket.write(pieces: pieces, timeout)
    }

    /// Sends as many of these bytes as the system takes at once, and says how many that was: none where somebody else is writing. It does
    /// not wait, so it may be called by a function that a read lends bytes to. On the loop's thread only.
    @inlinable
    public nonisolated func writeNow(_ bytes: RawSpan) throws(SocketError) -> Int { try socket.writeNow(bytes) }

    /// Says that nothing more will be written: the other side reads the end of the stream, and may go on writing.
    @inlinable
    public nonisolated(nonsending) func finishWriting(timeout: Duration? = nil) async throws(SocketError) {
        try await socket.finishWriting(timeout)
    }

    /// Closes the socket; calls under way end with ``SocketError/closed``. What was written the system still sends. But where the other
    /// side has sent what nobody has read it sees a reset, and may lose what it has not read: ``close(within:)`` hears it out.
    @inlinable
    public nonisolated(nonsending) func close() async { await socket.close(aborting: false) }

    /// Says that nothing more comes, reads and discards what the other side still says, and closes when it has ended, or the time is up.
    @inlinable
    public nonisolated(nonsending) func close(within bound: Duration) async { await socket.closeGracefully(bound) }

    /// Closes the socket at once, and has the other side see a reset. What was written and not sent is discarded.
    @inlinable
    public nonisolated(nonsending) func abort() async { await socket.close(aborting: true) }

    /// As ``close()``.
    public nonisolated(nonsending) func end() async { await close() }

    /// Bytes that were received and wait to be read, on this side of the system.
    public var bytesWaiting: Int { socket.here.on(loop).bytesWaiting }

    /// The address on this side.
    public var localAddress: SocketAddress {
        get throws(SocketError) { try socket.here.on(loop).ask(.address) { native throws(SocketRefusal) in try native.name() } }
    }

    /// The address of the other side.
    public var remoteAddress: SocketAddress {
        get throws(SocketError) { try socket.here.on(loop).ask(.address) { native throws(SocketRefusal) in try native.peer() } }
    }
}
