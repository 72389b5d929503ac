internal import LoopCore
internal import SocketOps
internal import StreamOps
internal import _Concurrency

/// Connections over the real completion port.
enum TCPCases {
    static var suite: Suite {
        Suite(
            "SocketOps: connections",
            on: [
                .sockets("bytes go both ways, in lines and by the count, and one half ends before the other", bothWays),
                .sockets("a read that waits has no memory in the kernel, and is served by each way to read", waiting),
                .sockets("a time that is up and a cancelled task lose no byte", nothingLost),
                .sockets("reads that time out or are cancelled at random lose nothing of a stream", lossless),
                .sockets("the end of the other side in the middle of a frame is said with what is there", endedEarly),
                .sockets("many bytes go both ways at once, in pieces of all sizes", bulk),
                .sockets("a slow reader holds the writer back, and a write that is given up says how much has left", backpressure),
                .sockets("a cancelled write says how much has left, and the next follows without a gap", cancelledWrite),
                .sockets("an abort is a reset to a reader who waits, and to who writes", aborted),
                .sockets("an abort is a reset to who reads later", abortedBefore),
                .sockets("a close ends those who read and write, and can be said twice", closed),
                .sockets("a graceful close loses nothing that the other side has not read, and is bounded", graceful),
                .sockets("who drops a connection closes it", dropped),
                .sockets("options are taken", options),
                .sockets("how a silent connection is kept under watch is the system's to know", keepAlive),
            ])
    }

    private static func bothWays(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await loop.connection()
        try await ends.near.put("hello\nthere\r\nrest")
        for line in ["hello", "there"] {
            let found = try await must("a line") { () async throws(SocketError) in try await ends.far.readLine(timeout: ample) }
            try demandEqual(found, Array(line.utf8), line)
        }
        try await must("finish") { () async throws(SocketError) in try await ends.near.finishWriting() }
        try await ends.far.expect("rest")
        try await ends.far.expectEnd()
        try await ends.far.expectEnd()
        try await ends.far.put("the other half")
        try await ends.near.expect("the other half")
        try await mustFail("a write behind the end", .closed) { () async throws(SocketError) in try await ends.near.write([1]) }
        let there = try await address { () async throws(SocketError) in try await ends.near.remoteAddress }
        let here = try await address { () async throws(SocketError) in try await ends.far.localAddress }
        try demand(there == here && there != "no address", "\(there) and \(here) are one address")
        await ends.far.close()
        try await ends.near.expectEnd()
        await ends.near.close()
    }

    private static func address(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws(SocketError) -> SocketAddress
    ) async throws(Unmet) -> String { try await must("an address", body).text }

    private static func waiting(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await loop.connection()
        let line = loop.spawn { _ async in
            await result { () async throws(SocketError) in try await ends.far.readLine(timeout: ample) }
        }
        try await loop.wait(untilInFlight: 1)
        try await ends.near.put("one\n")
        try demand(await line.value == .success(Array("one".utf8)), "a line")
        let lent = loop.spawn { _ async in
            await result { () async throws(SocketError) in
                try await ends.far.read(timeout: ample) { (bytes: RawSpan, taken: inout Int) in
                    taken = 1
                    return bytes.byteCount
                }
            }
        }
        try await loop.wait(untilInFlight: 1)
        try await ends.near.put("two")
        try demand(await lent.value == .success(3), "what was lent")
        var buffer = IOBuffer(capacity: 16)
        do throws(SocketError) {
            _ = try await ends.far.read(into: &buffer)
            try await ends.near.write(pieces: [[1], [], [2, 3], Array(4...9)])
            try await ends.near.write(buffer)
        } catch {
            throw .failed(error.description)
        }
        try demandEqual(buffer.copyBytes(), Array("wo".utf8), "what was read into a buffer")
        try demandEqual(try await ends.far.take(11), Array(1...9) + Array("wo".utf8), "pieces, and a buffer")
        await ends.close()
    }

    private static func nothingLost(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await loop.connection()
        try await ends.near.put("abc")
        try await mustFail("a read of more", .timedOut(.read, moved: 3)) { () async throws(SocketError) in
            try await ends.far.readExactly(5, timeout: .milliseconds(20))
        }
        let reader = loop.spawn { _ async in await result { () async throws(SocketError) in try await ends.far.readUntil([0x0A]) } }
        try await loop.wait(untilInFlight: 1)
        reader.cancel()
        try demandFailure(await reader.value, .cancelled(.read, moved: 3), "a cancelled read")
        try await ends.near.put("de")
        try await ends.far.expect("abcde")
        await ends.close()
    }

    private static func lossless(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await loop.connection()
        let total = 256 << 10
        let writer = loop.spawn { loop async -> SocketError? in
            var (place, dice) = (0, Dice(3))
            do throws(SocketError) {
                while place < total {
                    let count = min(total - place, 1 + dice.roll(600))
                    try await ends.near.write(numbered(count, from: place))
                    place += count
                    for _ in 0..<dice.roll(4) { await Task.yield() }
                }
                try await ends.near.finishWriting()
            } catch { return error }
            return nil
        }
        var (place, early, dice) = (0, 0, Dice(4))
        while place < total {
            let wanted = min(total - place, 1 + dice.roll(800))
            let fiber = loop.spawn { [dice] _ async in
                var dice = dice
                let timeout = Duration.microseconds(dice.roll(300))
                return await result { () async throws(SocketError) in try await ends.far.readExactly(wanted, timeout: timeout) }
            }
            if dice.roll(3) == 0 {
                for _ in 0..<dice.roll(4) { await Task.yield() }
                fiber.cancel()
            }
            switch await fiber.value {
            case .success(let bytes):
                try demandEqual(bytes, numbered(wanted, from: place), "bytes from \(place) on")
                place += bytes.count
            case .failure(.timedOut), .failure(.cancelled): early += 1
            case .failure(let error): throw .failed(error.description)
            }
        }
        try demand(await writer.value == nil, "the writer")
        try demand(early > 20, "only \(early) reads ended early")
        try await ends.far.expectEnd()
        await ends.close()
    }

    private static func endedEarly(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await loop.connection()
        try await ends.near.put("abc")
        await ends.near.close()
        try await mustFail("a line", .ended(received: 3)) { () async throws(SocketError) in
            try await ends.far.readLine(timeout: ample)
        }
        try await mustFail("a short frame", .frameTooLong(limit: 2)) { () async throws(SocketError) in
            try await ends.far.readUntil([9], limit: 2)
        }
        try await ends.far.expect("abc")
        await ends.far.close()
    }

    private static func bulk(_ loop: isolated EventLoop) async throws(Unmet) {
        for piece in [1, 4_096, 1_000_000] {
            let ends = try await loop.connection()
            let total = min(4_000_000, piece * 3_000)
            let pattern = numbered(piece)
            let writers = [ends.near, ends.far].map { stream in
                loop.spawn { _ async in await result { () async throws(SocketError) in try await send(stream, total, pattern) } }
            }
            let readers = [ends.near, ends.far].map { stream in
                loop.spawn { _ async in await result { () async throws(SocketError) in try await check(stream, pattern) } }
            }
            for fiber in writers + readers { try demand(await fiber.value == .success(total), "pieces of \(piece)") }
            await ends.close()
        }
    }

    private nonisolated(nonsending) static func send(_ stream: TCPStream, _ total: Int, _ pattern: [UInt8]) async throws(SocketError) -> Int
    {
        var left = total
        while left > 0 {
            try await stream.write(Array(pattern.prefix(left)))
            left -= min(left, pattern.count)
        }
        try await stream.finishWriting()
        return total
    }

    /// How many bytes have come, each of them right; -1 where one is not.
    private nonisolated(nonsending) static func check(_ stream: TCPStream, _ pattern: [UInt8]) async throws(SocketError) -> Int {
        var (place, isRight) = (0, true)
        while true {
            let bytes = try await stream.read(timeout: ample)
            if bytes.isEmpty { return isRight ? place : -1 }
            for byte in bytes {
                if byte != pattern[place % pattern.count] { isRight = false }
                place += 1
            }
        }
    }

    private static func aborted(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await loop.connection()
        let reader = loop.spawn { _ async in await result { () async throws(SocketError) in try await ends.far.read() } }
        try await loop.wait(untilInFlight: 1)
        await ends.near.abort()
        try demandFailure(await reader.value, .reset, "a reader who waits")
        try await mustFail("a second read", .reset) { () async throws(SocketError) in try await ends.far.read(timeout: ample) }
        try await mustFail("a write", .reset) { () async throws(SocketError) in try await ends.far.write([1], timeout: ample) }
        await ends.far.close()
    }

    private static func abortedBefore(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await loop.connection()
        await ends.near.abort()
        let read = await result { () async throws(SocketError) in try await ends.far.read(timeout: ample) }
        await ends.far.close()
        // Wine's server may have taken the news for itself, and then there is an end and no more.
        if isOnWine, case .success([]) = read { return }
        try demandFailure(read, .reset, "a read")
    }
}
