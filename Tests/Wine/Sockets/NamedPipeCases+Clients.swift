internal import CLoopWin32
internal import LoopCore
internal import SocketOps
internal import StreamOps
internal import _Concurrency

// How ends come and go.
extension NamedPipeCases {
    static func closed(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await pair(loop)
        let listener = try listener(newName(), loop)
        let reader = loop.spawn { _ async in await result { () async throws(SocketError) in try await ends.far.read() } }
        let writer = loop.spawn { _ async in
            await result { () async throws(SocketError) in try await ends.far.write([UInt8](repeating: 1, count: 1 << 20)) }
        }
        let acceptor = loop.spawn { _ async in await result { () async throws(SocketError) in _ = try await listener.accept() } }
        try await loop.wait(until: "all wait") { loop.metrics.operations.submitted == 2 + 4 }
        await ends.far.close()
        await ends.far.close()
        await listener.close()
        await listener.close()
        try demandFailure(await reader.value, .closed, "the reader")
        try demandFailure(await writer.value, .closed, "the writer")
        try demandFailure(await acceptor.value, .closed, "the acceptor")
        try await mustFail("a read", .closed) { () async throws(SocketError) in try await ends.far.read() }
        try await mustFail("a write", .closed) { () async throws(SocketError) in try await ends.far.write([1]) }
        await ends.near.close()
    }

    static func dropped(_ loop: isolated EventLoop) async throws(Unmet) {
        let far = try await farEnd(loop)
        try await far.expectEnd()
        await far.close()
        let name = newName()
        try serveAndDrop(name, loop)
        try await loop.wait(until: "the listener is closed") { loop.metrics.handles == 0 }
        try await mustFail("a connect", .notFound) { () async throws(SocketError) in try await NamedPipe.connect(name, on: loop) }
    }

    private static func farEnd(_ loop: isolated EventLoop) async throws(Unmet) -> NamedPipe { try await pair(loop).far }

    private static func serveAndDrop(_ name: String, _ loop: isolated EventLoop) throws(Unmet) { _ = try listener(name, loop) }

    static func several(_ loop: isolated EventLoop) async throws(Unmet) {
        let name = newName()
        let listener = try listener(name, loop)
        var clients: [NamedPipe] = []
        for number in 0..<4 {
            let client = try await connect(name, loop)
            try await client.put([UInt8(number)])
            clients.append(client)
        }
        var found: [UInt8] = []
        for _ in clients {
            let pipe = try await accept(listener)
            found += try await pipe.take(1)
            await pipe.close()
        }
        try demandEqual(found.sorted(), [0, 1, 2, 3], "each client")
        for client in clients { await client.close() }
        await listener.close()
    }

    static func busy(_ loop: isolated EventLoop) async throws(Unmet) {
        let name = newName()
        let listener = try listener(name, loop)
        var clients: [NamedPipe] = []
        for _ in 0..<4 { clients.append(try await connect(name, loop)) }
        // The loop has not turned to a new instance, or nobody takes those that came.
        try await loop.wait(untilInFlight: 0)
        try await mustFail("a fifth client", .timedOut(.connect, moved: 0)) { () async throws(SocketError) in
            _ = try await NamedPipe.connect(name, on: loop, timeout: .milliseconds(10))
        }
        let waiting = loop.spawn { loop async in
            await result { () async throws(SocketError) in try await NamedPipe.connect(name, on: loop, timeout: ample) }
        }
        let cancelled = loop.spawn { loop async in
            await result { () async throws(SocketError) in _ = try await NamedPipe.connect(name, on: loop) }
        }
        await Task.yield()
        cancelled.cancel()
        try demandFailure(await cancelled.value, .cancelled(.connect, moved: 0), "a connect that waits")
        let first = try await accept(listener)
        guard case .success(let fifth) = await waiting.value else { throw .failed("an instance was free") }
        for pipe in clients + [first, fifth] { await pipe.close() }
        await listener.close()
    }

    static func acceptGivenUp(_ loop: isolated EventLoop) async throws(Unmet) {
        let name = newName()
        let listener = try listener(name, loop)
        for round in 0..<40 {
            let waiting = loop.spawn { _ async in
                await result { () async throws(SocketError) in
                    try await listener.accept(timeout: round.isMultiple(of: 2) ? .zero : nil)
                }
            }
            await Task.yield()
            let near = try await connect(name, loop)
            try await near.put([UInt8(round)])
            waiting.cancel()
            let far: NamedPipe
            switch await waiting.value {
            case .success(let pipe): far = pipe
            case .failure(.timedOut(.accept, moved: 0)), .failure(.cancelled(.accept, moved: 0)): far = try await accept(listener)
            case .failure(let error): throw .failed(error.description)
            }
            try demandEqual(try await far.take(1), [UInt8(round)], "the client of round \(round)")
            await near.close()
            await far.close()
        }
        await listener.close()
    }

    static func hasty(_ loop: isolated EventLoop) async throws(Unmet) {
        let name = newName()
        let listener = try listener(name, loop)
        for round in 0..<20 {
            // At once, and before the loop has seen any of them.
            for _ in 0..<3 { Win32.closeHandle(Win32.pipeClient(Win32.wide(name))) }
            let near = try await connect(name, loop)
            try await near.put([UInt8(round)])
            var found: [UInt8] = []
            while found.isEmpty {
                let far = try await accept(listener)
                found = try await must("a read") { () async throws(SocketError) in try await far.read(timeout: ample) }
                await far.close()
            }
            try demandEqual(found, [UInt8(round)], "the client that stayed")
            await near.close()
        }
        await listener.close()
    }

    static func refusals(_ loop: isolated EventLoop) async throws(Unmet) {
        let name = newName()
        let listener = try listener(name, loop)
        for path in ["", "pipe", "C:\\windows\\win.ini", "\\\\.\\pipe\\", "\\\\server\\pipe\\name"] {
            try await mustFail(path, .malformedAddress) { () async throws(SocketError) in
                _ = try await NamedPipe.connect(path, on: loop)
            }
        }
        try await mustFail("a name nobody serves", .notFound) { () async throws(SocketError) in
            _ = try await NamedPipe.connect(newName(), on: loop, timeout: ample)
        }
        await listener.close()
        try await mustFail("a name nobody serves any more", .notFound) { () async throws(SocketError) in
            _ = try await NamedPipe.connect(name, on: loop, timeout: ample)
        }
    }

    static func servedTwice(_ loop: isolated EventLoop) async throws(Unmet) {
        let name = newName()
        let listener = try listener(name, loop)
        let second = await result { () async throws(SocketError) in
            let other = try NamedPipeListener.listen(name, on: loop)
            await other.close()
        }
        await listener.close()
        if isOnWine, second.isSuccess { throw .notApplicable("FILE_FLAG_FIRST_PIPE_INSTANCE") }
        try demandFailure(second, .addressInUse, "a name that is served")
    }

    static func churn(_ loop: isolated EventLoop) async throws(Unmet) {
        let name = newName()
        let listener = try listener(name, loop)
        let rounds = 300
        let server = loop.spawn { loop async -> Int in
            var count = 0
            while count < rounds {
                let next = await result { () async throws(SocketError) in try await listener.accept(timeout: ample) }
                guard case .success(let pipe) = next else { return count }
                count += 1
                loop.spawn { _ async in
                    _ = await result { () async throws(SocketError) in
                        try await pipe.write(try await pipe.read(timeout: .seconds(5)))
                    }
                    await pipe.close()
                }
            }
            return count
        }
        let clients = (0..<6).map { number in
            loop.spawn { loop async -> SocketError? in
                var dice = Dice(UInt64(number))
                do throws(SocketError) {
                    for _ in 0..<rounds / 6 {
                        let pipe = try await NamedPipe.connect(name, on: loop, timeout: ample)
                        if dice.roll(3) > 0 {
                            _ = await result { () async throws(SocketError) in
                                try await pipe.write([1, 2, 3], timeout: ample)
                                return try await pipe.read(timeout: ample)
                            }
                        }
                        await pipe.close()
                    }
                } catch { return error }
                return nil
            }
        }
        for client in clients { if let error = await client.value { throw .failed(error.description) } }
        let count = await server.value
        try demand(count == rounds, "\(count) clients of \(rounds)")
        await listener.close()
    }

    // MARK: any stream

    static func anyStream(_ loop: isolated EventLoop) async throws(Unmet) {
        let (tcp, pipe) = (try await loop.connection(), try await pair(loop))
        try await talk(tcp.near, tcp.far, loop)
        try await talk(pipe.near, pipe.far, loop)
        // And from one to the other.
        let (left, right) = (try await loop.connection(), try await pair(loop))
        let bridge = loop.spawn { _ async in
            await result { () async throws(CopyError<SocketError, SocketError>) in try await left.far.copy(to: right.near) }
        }
        try await left.near.put(numbered(100_000))
        await left.near.close()
        try demandEqual(try await right.far.take(100_000), numbered(100_000), "what crossed")
        try demand(await bridge.value == .success(100_000), "the bridge")
        await left.close()
        await right.close()
    }

    /// A protocol of lines over whatever brings bytes.
    private static func talk<Stream: ByteStream>(
        _ client: Stream, _ server: Stream, _ loop: isolated EventLoop
    ) async throws(Unmet) where Stream.Failure == SocketError {
        let answering = loop.spawn { _ async in await answer(server) }
        for name in ["Ann", "Bob"] {
            try await client.put("\(name)\n")
            let line = try await must("an answer") { () async throws(SocketError) in try await client.readLine(timeout: ample) }
            try demandEqual(line, Array("hello \(name)".utf8), "an answer")
        }
        await client.end()
        let greeted = await answering.value
        try demand(greeted == 2, "\(greeted) were greeted")
    }

    private nonisolated(nonsending) static func answer<Stream: ByteStream>(_ stream: Stream) async -> Int {
        var count = 0
        do throws(Stream.Failure) {
            while true {
                let name = try await stream.readLine(limit: 100, timeout: ample)
                try await stream.write(Array("hello ".utf8) + name + [0x0A])
                count += 1
            }
        } catch {
            await stream.end()
            return error == .ended(received: 0) ? count : -1
        }
    }
}
