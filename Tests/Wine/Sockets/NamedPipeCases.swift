internal import CLoopWin32
internal import LoopCore
internal import SocketOps
internal import StreamOps
internal import _Concurrency

/// Named pipes as streams, over the real completion port.
enum NamedPipeCases {
    static var suite: Suite {
        Suite(
            "SocketOps: named pipes",
            on: [
                .sockets("bytes go both ways, in lines and by the count, and to the end", bothWays),
                .sockets("a time that is up and a cancelled task lose no byte", nothingLost),
                .sockets("what is there is read by who has no time", atOnce),
                .sockets("many bytes go both ways at once", bulk),
                .sockets("a write that finds no room is given up, and the pipe goes on", backpressure),
                .sockets("what was written before a close is read, and then comes the end", writtenAndClosed),
                .sockets("a write to an end that is gone is a reset", brokenOff),
                .sockets("a close ends those who read, write and accept", closed),
                .sockets("who drops an end closes it", dropped),
                .sockets("several clients come before anybody accepts, and each is there", several),
                .sockets("a client that finds every instance taken waits for one, for as long as it may", busy),
                .sockets("an accept that is given up loses no client", acceptGivenUp),
                .sockets("clients that come and go at once fail no accept", hasty),
                .sockets("each refusal is a case of its own", refusals),
                .sockets("a name that is served is served by nobody else", servedTwice),
                .sockets("hundreds of pipes that come and go leave nothing", churn),
                .sockets("a function for any stream of bytes runs over a connection and over a pipe", anyStream),
            ])
    }

    /// The two ends of a pipe.
    struct PipeEnds: Sendable {
        let near: NamedPipe
        let far: NamedPipe

        func close(isolation: isolated (any Actor)? = #isolation) async {
            await near.close()
            await far.close()
        }
    }

    static func newName() -> String { String(decoding: Win32.newName("\\\\.\\pipe\\").dropLast(), as: UTF16.self) }

    static func listener(_ name: String, _ loop: isolated EventLoop) throws(Unmet) -> NamedPipeListener {
        do throws(SocketError) {
            return try NamedPipeListener.listen(name, on: loop)
        } catch {
            throw .failed("listen: \(error.description)")
        }
    }

    static func connect(_ name: String, _ loop: isolated EventLoop) async throws(Unmet) -> NamedPipe {
        try await must("connect") { () async throws(SocketError) in try await NamedPipe.connect(name, on: loop, timeout: ample) }
    }

    static func accept(_ listener: NamedPipeListener, isolation: isolated (any Actor)? = #isolation) async throws(Unmet) -> NamedPipe {
        try await must("accept") { () async throws(SocketError) in try await listener.accept(timeout: ample) }
    }

    static func pair(_ loop: isolated EventLoop) async throws(Unmet) -> PipeEnds {
        let name = newName()
        let listener = try listener(name, loop)
        let near = try await connect(name, loop)
        let far = try await accept(listener)
        await listener.close()
        return PipeEnds(near: near, far: far)
    }

    private static func bothWays(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await pair(loop)
        try await ends.near.put("hello\nthere\r\nrest")
        for line in ["hello", "there"] {
            let found = try await must("a line") { () async throws(SocketError) in try await ends.far.readLine(timeout: ample) }
            try demandEqual(found, Array(line.utf8), line)
        }
        try await ends.far.expect("rest")
        try await ends.far.put("back")
        try await ends.near.expect("back")
        let waiting = loop.spawn { _ async in await result { () async throws(SocketError) in try await ends.far.read(timeout: ample) } }
        try await loop.wait(untilInFlight: 1)
        await ends.near.close()
        try demand(await waiting.value == .success([]), "the end comes to who waits")
        try await ends.far.expectEnd()
        await ends.far.close()
    }

    private static func nothingLost(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await pair(loop)
        try await ends.near.put("abc")
        try await mustFail("a read of more", .timedOut(.read, moved: 3)) { () async throws(SocketError) in
            try await ends.far.readExactly(5, timeout: .milliseconds(20))
        }
        for round in 0..<100 {
            let reader = loop.spawn { _ async in
                await result { () async throws(SocketError) in
                    try await ends.far.readExactly(5 + round, timeout: round.isMultiple(of: 2) ? .microseconds(20) : nil)
                }
            }
            await Task.yield()
            try await ends.near.put([UInt8(round)])
            reader.cancel()
            if case .success(let bytes) = await reader.value {
                throw .failed("\(bytes.count) bytes were there in round \(round)")
            }
            // All that was written is there, and stays.
            try await must("bytes") { () async throws(SocketError) in
                try await ends.far.read(atLeast: 4 + round, timeout: ample, interByte: nil) { _, _ in .take(0) }
            }
        }
        try demandEqual(try await ends.far.take(103), Array("abc".utf8) + (0..<100).map { UInt8($0) }, "all of it")
        await ends.close()
    }

    private static func atOnce(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await pair(loop)
        try await mustFail("a read of nothing", .timedOut(.read, moved: 0)) { () async throws(SocketError) in
            try await ends.far.read(timeout: .zero)
        }
        for round in 0..<20 {
            // The first finds the read that was given up above.
            try await ends.near.put([1, UInt8(round)])
            try await loop.wait(until: "the write is done, and that read") { loop.metrics.operations.submitted == 0 }
            let found = try await must("a read at once") { () async throws(SocketError) in try await ends.far.read(timeout: .zero) }
            try demandEqual(found, [1, UInt8(round)], "what was there")
        }
        await ends.close()
    }

    private static func bulk(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await pair(loop)
        let bytes = numbered(2 << 20)
        let writers = [ends.near, ends.far].map { pipe in
            loop.spawn { _ async in await result { () async throws(SocketError) in try await pipe.write(bytes) } }
        }
        let readers = [ends.near, ends.far].map { pipe in
            loop.spawn { _ async in
                await result { () async throws(SocketError) in try await pipe.readExactly(bytes.count, timeout: ample) }
            }
        }
        for fiber in readers { try demand(await fiber.value == .success(bytes), "bytes") }
        for fiber in writers { if case .failure(let error) = await fiber.value { throw .failed(error.description) } }
        await ends.close()
    }

    private static func backpressure(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await pair(loop)
        let bytes = numbered(4 << 20)
        let given = await result { () async throws(SocketError) in try await ends.near.write(bytes, timeout: .milliseconds(30)) }
        guard case .failure(.timedOut(.write, let moved)) = given else { throw .failed("a write of more than there is room for") }
        try demand(moved < bytes.count, "all \(moved) bytes had left")
        // Nobody read while it was given up: what had left is there, and what follows comes behind it.
        try await ends.near.write("end", from: ends.far, behind: Array(bytes[..<moved]), loop)
        await ends.close()
    }

    private static func writtenAndClosed(_ loop: isolated EventLoop) async throws(Unmet) {
        for isServer in [false, true] {
            let ends = try await pair(loop)
            let (writer, reader) = isServer ? (ends.far, ends.near) : (ends.near, ends.far)
            try await writer.put(numbered(3_000))
            await writer.close()
            try demandEqual(try await reader.take(3_000), numbered(3_000), "what was written")
            try await mustFail("a line behind it", .ended(received: 0)) { () async throws(SocketError) in
                try await reader.readLine(timeout: ample)
            }
            try await reader.expectEnd()
            await reader.close()
        }
    }

    private static func brokenOff(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await pair(loop)
        let writer = loop.spawn { _ async in
            await result { () async throws(SocketError) in try await ends.far.write([UInt8](repeating: 1, count: 1 << 20)) }
        }
        try await loop.wait(untilInFlight: 1)
        await ends.near.close()
        try demandFailure(await writer.value, .reset, "a write that waits")
        try await mustFail("a write", .reset) { () async throws(SocketError) in try await ends.far.write([1], timeout: ample) }
        await ends.far.close()
    }
}

extension NamedPipe {
    /// Writes a text while another end reads what is in front of it, and then the text.
    fileprivate func write(
        _ text: String, from reader: NamedPipe, behind bytes: [UInt8], _ loop: isolated EventLoop
    ) async throws(Unmet) {
        let writer = loop.spawn { _ async in await result { () async throws(SocketError) in try await self.write(text, timeout: ample) }
        }
        try demandEqual(try await reader.take(bytes.count), bytes, "what had left")
        try await reader.expect(text)
        if case .failure(let error) = await writer.value { throw .failed(error.description) }
    }
}
