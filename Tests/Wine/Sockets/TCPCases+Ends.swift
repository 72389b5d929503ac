internal import LoopCore
internal import SocketOps
internal import StreamOps
internal import _Concurrency

// How writes and connections end.
extension TCPCases {
    static func backpressure(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await loop.connection()
        let bytes = numbered(32 << 20)
        let given = await result { () async throws(SocketError) in try await ends.near.write(bytes, timeout: .milliseconds(50)) }
        guard case .failure(.timedOut(.write, let moved)) = given else { throw .failed("a write of more than there is room for") }
        try demand(moved > 0 && moved < bytes.count, "\(moved) bytes had left")
        await ends.near.close()
        try await expectAll(ends.far, moved, bytes)
        await ends.far.close()
    }

    static func cancelledWrite(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await loop.connection()
        let bytes = numbered(16 << 20)
        let writer = loop.spawn { _ async in await result { () async throws(SocketError) in try await ends.near.write(bytes) } }
        try await loop.wait(untilInFlight: 1)
        writer.cancel()
        guard case .failure(.cancelled(.write, let moved)) = await writer.value else { throw .failed("the write was not cancelled") }
        let rest = loop.spawn { _ async in
            await result { () async throws(SocketError) in
                try await ends.near.write(Array(bytes[moved...]), timeout: ample)
                try await ends.near.finishWriting()
            }
        }
        try await expectAll(ends.far, bytes.count, bytes)
        if case .failure(let error) = await rest.value { throw .failed(error.description) }
        await ends.close()
    }

    /// The first so many of the bytes MUST come, and then the end.
    private static func expectAll(
        _ stream: TCPStream, _ count: Int, _ bytes: [UInt8], isolation: isolated (any Actor)? = #isolation
    ) async throws(Unmet) {
        var place = 0
        while true {
            let piece = try await must("a read") { () async throws(SocketError) in try await stream.read(timeout: ample) }
            if piece.isEmpty { break }
            try demand(place + piece.count <= count, "more bytes than had left")
            try demand(bytes[place..<place + piece.count].elementsEqual(piece), "other bytes from \(place) on")
            place += piece.count
        }
        try demand(place == count, "\(place) bytes of \(count)")
    }

    static func closed(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await loop.connection()
        let readers = (0..<2).map { _ in
            loop.spawn { _ async in await result { () async throws(SocketError) in try await ends.far.read() } }
        }
        let writers = (0..<2).map { _ in
            loop.spawn { _ async in
                await result { () async throws(SocketError) in try await ends.far.write([UInt8](repeating: 1, count: 16 << 20)) }
            }
        }
        try await loop.wait(untilInFlight: 2)
        await ends.far.close()
        await ends.far.close()
        for fiber in readers { try demandFailure(await fiber.value, .closed, "a reader") }
        for fiber in writers { try demandFailure(await fiber.value, .closed, "a writer") }
        try await mustFail("a question", .closed) { () async throws(SocketError) in try await ends.far.localAddress }
        try await mustFail("a read", .closed) { () async throws(SocketError) in try await ends.far.read() }
        await ends.near.close()
    }

    static func graceful(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await loop.connection()
        // What nobody read would turn a plain close into a reset.
        try await ends.far.put("unread")
        try await ends.near.put("last words")
        let closing = loop.spawn { _ async in await ends.near.close(within: ample) }
        try await ends.far.expect("last words")
        try await ends.far.expectEnd()
        await ends.far.close()
        await closing.value
        let other = try await loop.connection()
        let start = loop.now
        await other.near.close(within: .milliseconds(20))
        try demand(loop.now.nanoseconds(since: start) >= 20_000_000, "it waits as long as it may")
        await other.far.close()
    }

    static func dropped(_ loop: isolated EventLoop) async throws(Unmet) {
        let far = try await farEnd(loop)
        try await far.expectEnd()
        await far.close()
        var ends: Ends? = try await loop.connection()
        // A reader has the stream; when it has ended nobody has.
        let reader = loop.spawn { [near = ends?.near] _ async in
            await result { () async throws(SocketError) in try await near?.read(timeout: .milliseconds(5)) }
        }
        let other = ends?.far
        ends = nil
        try demandFailure(await reader.value, .timedOut(.read, moved: 0), "the reader")
        try await other?.expectEnd()
        await other?.close()
    }

    private static func farEnd(_ loop: isolated EventLoop) async throws(Unmet) -> TCPStream { try await loop.connection().far }

    static func options(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await loop.connection()
        try await must("options") { () async throws(SocketError) in
            try await ends.near.setNoDelay(false)
            try await ends.near.setBuffers(receiving: 65_536, sending: 65_536)
            try await ends.near.setKeepAlive(nil)
        }
        try await ends.near.put("!")
        try await ends.far.expect("!")
        await ends.close()
    }

    static func keepAlive(_ loop: isolated EventLoop) async throws(Unmet) {
        let ends = try await loop.connection()
        let set = await result { () async throws(SocketError) in
            try await ends.near.setKeepAlive(KeepAlive(idle: .seconds(30), interval: .seconds(2), count: 3))
        }
        await ends.close()
        if isOnWine, set.isFailure(.notSupported(.option)) { throw .notApplicable("options for the intervals of keep-alive") }
        if case .failure(let error) = set { throw .failed(error.description) }
    }
}
