#if PORTLOOP_WINDOWS
public import LoopCore
@_exported public import StreamOps
internal import _Concurrency

/// One end of a named pipe of Windows: bytes both ways, between programs of one machine.
///
/// ```swift
/// let pipe = try await NamedPipe.connect("\\\\.\\pipe\\greeter", on: loop, timeout: .seconds(1))
/// try await pipe.write("who are you?\n")
/// let answer = try await pipe.readLine(timeout: .seconds(1))
/// ```
///
/// Calls may come from any task, of any thread. A read that is given up loses no byte. A pipe has no half that ends before the other: who
/// closes it has the other side read what is left, and then the end. Dropping the last reference closes it.
public actor NamedPipe: ByteStream {
    /// The loop it lives on.
    public nonisolated let loop: EventLoop
    private nonisolated let here: Confined<PipeStream>

    init(_ here: Confined<PipeStream>, _ loop: EventLoop) {
        self.loop = loop
        self.here = here
    }

    deinit { here.tell(loop) { $0.finish(.closed) } }

    // MARK: opening

    /// Connects to a pipe by its name, "\\.\pipe\…". Where each of its instances has a client already this waits for one that is free.
    public static func connect(
        _ path: String, on loop: isolated EventLoop, timeout: Duration? = nil
    ) async throws(SocketError) -> NamedPipe {
        guard let name = NativePipe.name(path) else { throw .malformedAddress }
        guard !Task.isCancelled else { throw .cancelled(.connect, moved: 0) }
        let deadline = Deadline.after(timeout, loop)
        var pause = Duration.milliseconds(1)
        while true {
            if let pipe = try NamedPipe.open(name, loop) { return pipe }
            guard deadline.isAhead(loop.now) else { throw .timedOut(.connect, moved: 0) }
            // The system's own wait would block.
            do throws(WaitError) {
                try await loop.sleep(for: min(pause, deadline.left(loop.now) ?? pause))
            } catch {
                throw SocketError(error, .connect)
            }
            pause = min(pause * 2, pauseMax)
        }
    }

    private static let pauseMax = Duration.milliseconds(50)

    /// Nil where no instance is free at present.
    private static func open(_ name: [UInt16], _ loop: isolated EventLoop) throws(SocketError) -> NamedPipe? {
        let pipe: NativePipe
        do throws(SocketRefusal) {
            pipe = try NativePipe.open(name)
        } catch {
            if error.code == NativePipe.busy { return nil }
            throw SocketError(error.code, .connect)
        }
        let operations = loop.operations(for: loop)
        return NamedPipe(Confined(try PipeStream(pipe, try pipe.associate(operations), operations), of: operations), loop)
    }

    // MARK: bytes

    /// As ``ByteStream`` says.
    public nonisolated(nonsending) func read(
        atLeast: Int, timeout: Duration?, interByte: Duration?, until body: (_ bytes: RawSpan, _ isOver: Bool) -> StreamStep
    ) async throws(SocketError) {
        guard let stream = here.ifOn(loop) else { return try await readCopies(atLeast, timeout, interByte, body) }
        let deadline = Deadline.after(timeout, loop)
        try await stream.takeReadTurn(deadline)
        defer { stream.readTurn.give() }
        try await stream.read(atLeast, deadline, interByte, body)
    }

    /// Writes all of it: returns when the system has taken the last byte, which may be before the other side has read it.
    ///
    /// Where the time is up or the task is cancelled first the error says how many bytes had left. A part of the 16,384 bytes behind those
    /// may have left too, where the other side was reading them: the system does not tell.
    public nonisolated(nonsending) func write(_ bytes: [UInt8], timeout: Duration? = nil) async throws(SocketError) {
        guard let stream = here.ifOn(loop) else { return try await writeHere(bytes, timeout) }
        try await stream.write(bytes, timeout)
    }

    private func writeHere(_ bytes: [UInt8], _ timeout: Duration?) async throws(SocketError) { try await write(bytes, timeout: timeout) }

    /// Bytes that were received and wait to be read, on this side of the system.
    public var bytesWaiting: Int { here.on(loop).input.count }

    // MARK: ending

    /// Closes the pipe; calls under way end with ``SocketError/closed``. What was written the other side can still read.
    public nonisolated(nonsending) func close() async {
        guard let stream = here.ifOn(loop) else { return await closeHere() }
        stream.finish(.closed)
        await stream.awaitClose()
    }

    private func closeHere() async { await close() }

    /// As ``close()``.
    public nonisolated(nonsending) func end() async { await close() }
}

// MARK: from another thread

extension NamedPipe {
    /// Shows copies of what is there to a function of another thread's. The turn to read is its caller's meanwhile.
    // SAFETY: the span is the array's, for the time of the call.
    private nonisolated(nonsending) func readCopies(
        _ atLeast: Int, _ timeout: Duration?, _ interByte: Duration?, _ body: (RawSpan, Bool) -> StreamStep
    ) async throws(SocketError) {
        let deadline = try await takeReadTurn(timeout).get()
        var wanted = atLeast
        while true {
            let (bytes, isOver) = try await copyInput(wanted, deadline, interByte).get()
            switch unsafe bytes.withUnsafeBytes({ body(unsafe RawSpan(_unsafeBytes: $0), isOver) }) {
            case .take(let count): return await dropInput(count)
            case .more(let atLeast):
                wanted = max(atLeast, bytes.count + 1)
                if isOver {
                    await dropInput(0)
                    throw .ended(received: bytes.count)
                }
            }
        }
    }

    private func takeReadTurn(_ timeout: Duration?) async -> Result<Deadline, SocketError> {
        let deadline = Deadline.after(timeout, loop)
        do throws(SocketError) { try await here.on(loop).takeReadTurn(deadline) } catch { return .failure(error) }
        return .success(deadline)
    }

    /// The caller has the turn, but not where this fails.
    private func copyInput(
        _ wanted: Int, _ deadline: Deadline, _ interByte: Duration?
    ) async -> Result<([UInt8], Bool), SocketError> {
        let stream = here.on(loop)
        do throws(SocketError) {
            let found = try await stream.copyInput(wanted, deadline, interByte)
            return .success((found.bytes, found.isOver))
        } catch {
            stream.readTurn.give()
            return .failure(error)
        }
    }

    private func dropInput(_ count: Int) {
        let stream = here.on(loop)
        stream.drop(count)
        stream.readTurn.give()
    }
}

extension NativePipe {
    /// Binds the pipe to the loop; where that fails it is closed.
    func associate(_ operations: Operations) throws(SocketError) -> AssociatedHandle {
        do throws(AssociationError) {
            return try operations.associate(handle)
        } catch {
            close()
            throw .association(error)
        }
    }
}
#endif
