internal import LoopCore
internal import _Concurrency

/// Readiness of sockets that are somebody else's: the loop is only asked about them.
enum WatchedCases {
    static var suite: Suite {
        Suite(
            "readable and writable",
            on: [
                .sockets("any number of tasks wait for a socket of a library's, in blocking mode and bound to no port", many),
                .sockets("a wait that is given up leaves the others, and the last leaves nothing", givenUp),
            ])
    }

    private static func many(_ loop: isolated EventLoop) async throws(Unmet) {
        let (near, far) = try RawSocket.pair()
        let handle = NativeHandle(rawValue: near.handle)
        let readers = (0..<4).map { _ in
            loop.spawn { loop async in
                await result { () async throws(ReadinessError) in try await loop.readable(handle, timeout: .seconds(20)) }
            }
        }
        try await loop.wait(untilInFlight: 4)
        let room = await result { () async throws(ReadinessError) in try await loop.writable(handle, timeout: .seconds(20)) }
        try demand(room == .success(.writable), "a socket with room is writable")
        try far.sendNow([1])
        for reader in readers {
            guard case .success(let found) = await reader.value, found.contains(.readable) else {
                throw .failed("not told that it is readable")
            }
        }
        // What is there already is told as often as it is asked for, and is still there.
        for _ in 0..<3 {
            let found = await result { () async throws(ReadinessError) in try await loop.readable(handle, timeout: .seconds(20)) }
            try demand(found == .success(.readable), "readable, as before")
        }
        try demand(try near.receiveNow(max: 8) == [1], "the byte is its owner's")
    }

    private static func givenUp(_ loop: isolated EventLoop) async throws(Unmet) {
        let (near, far) = try RawSocket.pair()
        let handle = NativeHandle(rawValue: near.handle)
        let early = await result { () async throws(ReadinessError) in try await loop.readable(handle, timeout: .milliseconds(5)) }
        try demand(early == .failure(.timedOut), "nothing to read in time")
        let cancelled = loop.spawn { loop async in
            await result { () async throws(ReadinessError) in try await loop.readable(handle) }
        }
        let other = loop.spawn { loop async in
            await result { () async throws(ReadinessError) in try await loop.readable(handle, timeout: .seconds(20)) }
        }
        try await loop.wait(untilInFlight: 2)
        cancelled.cancel()
        try demand(await cancelled.value == .failure(.cancelled), "the cancelled wait says so")
        try demand(loop.metrics.handles == 1, "the other still waits")
        try far.sendNow([1])
        try demand(await other.value == .success(.readable), "the other is told")
    }
}
