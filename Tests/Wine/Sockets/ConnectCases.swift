internal import LoopCore
internal import SocketOps
internal import StreamOps
internal import _Concurrency

/// Listening and connecting over the real completion port.
enum ConnectCases {
    static var suite: Suite {
        Suite(
            "SocketOps: listening and connecting",
            on: [
                .sockets("by number", byNumber),
                .sockets("by version 6 of the protocol, and by both at one listener", version6),
                .sockets("each refusal is a case of its own", refusals),
                .sockets("a connect that nobody answers ends in time, and when it is cancelled", silence),
                .sockets("an address that does not answer costs its head start, and no more", race),
                .sockets("connections that come before anybody accepts are all there, in order", queued),
                .sockets("several tasks accept at once, and each gets one", several),
                .sockets("an accept that is given up loses no connection", acceptGivenUp),
                .sockets("a close ends those who accept, and the address is free at once", closedWhileAccepting),
                .sockets("a limit on connections holds accepting back until one is closed", limit),
                .sockets("a connection that is reset before anybody accepts it fails no accept", resetBeforeAccept),
                .sockets("hundreds of connections that come, go and are aborted leave nothing", churn),
                .sockets("who drops a listener closes it, and the connections it has accepted for nobody", dropped),
                .sockets("what Windows cannot share is refused, and so is what Wine cannot do at all", unsupported),
            ])
    }

    private static func exchange(_ near: TCPStream, _ far: TCPStream, isolation: isolated (any Actor)? = #isolation) async throws(Unmet) {
        try await far.put("x")
        try await near.expect("x")
        await near.close()
        await far.close()
    }

    private static func connect(
        _ host: String, _ port: UInt16, _ loop: isolated EventLoop
    ) async -> Result<TCPStream, SocketError> {
        await result { () async throws(SocketError) in try await TCPStream.connect(host, port, on: loop, timeout: ample) }
    }

    private static func byNumber(_ loop: isolated EventLoop) async throws(Unmet) {
        let listener = try await must("listen") { () async throws(SocketError) in try await TCPListener.listen("127.0.0.1", 0, on: loop) }
        switch await connect("127.0.0.1", listener.port, loop) {
        case .success(let near): try await exchange(near, try await loop.accept(from: listener))
        case .failure(let error): throw .failed(error.description)
        }
        await listener.close()
    }

    private static func version6(_ loop: isolated EventLoop) async throws(Unmet) {
        let made = await result { () async throws(SocketError) in try await TCPListener.listen("::", 0, on: loop) }
        guard case .success(let listener) = made else {
            guard case .failure(let error) = made, error == .notSupported(.open) || error == .addressNotAvailable else {
                throw .failed("a listener of version 6")
            }
            throw .notApplicable("version 6 of the internet protocol")
        }
        for host in ["127.0.0.1", "::1"] {
            switch await connect(host, listener.port, loop) {
            case .success(let near): try await exchange(near, try await loop.accept(from: listener))
            case .failure(let error): throw .failed("\(host): \(error.description)")
            }
        }
        await listener.close()
    }

    private static func refusals(_ loop: isolated EventLoop) async throws(Unmet) {
        let listener = try loop.listener()
        try await mustFail("a second listener", .addressInUse) { () async throws(SocketError) in
            try TCPListener.listen(at: listener.localAddress, on: loop)
        }
        await listener.close()
        try await mustFail("a connect to nobody", .refused) { () async throws(SocketError) in
            try await TCPStream.connect(listener.localAddress, on: loop, timeout: ample)
        }
        try await mustFail("another machine's address", .addressNotAvailable) { () async throws(SocketError) in
            try await TCPListener.listen("192.0.2.1", 0, on: loop)
        }
        try await mustFail("no address", .malformedAddress) { () async throws(SocketError) in
            try await TCPStream.connect(toFirstOf: [], on: loop)
        }
    }

    private static func resetBeforeAccept(_ loop: isolated EventLoop) async throws(Unmet) {
        let listener = try loop.listener()
        for _ in 0..<20 {
            let gone = try await loop.connect(to: listener)
            await gone.abort()
        }
        let near = try await loop.connect(to: listener)
        try await near.put("!")
        // Those that were reset may be among those accepted: the system knew them as connections.
        for _ in 0..<21 {
            let far = try await loop.accept(from: listener)
            let read = await result { () async throws(SocketError) in try await far.read(timeout: ample) }
            await far.close()
            switch read {
            case .success(let bytes) where bytes == [0x21]:
                await near.close()
                return await listener.close()
            case .success([]), .failure(.reset): continue
            default: throw .failed("a connection that was reset")
            }
        }
        throw .failed("the last connection did not come")
    }

    private static func churn(_ loop: isolated EventLoop) async throws(Unmet) {
        let listener = try loop.listener()
        let rounds = 400
        let server = loop.spawn { loop async -> Int in
            var (count, dice) = (0, Dice(11))
            while count < rounds {
                let next = await result { () async throws(SocketError) in try await listener.accept(timeout: ample) }
                guard case .success(let stream) = next else { return count }
                count += 1
                let isKind = dice.roll(4) > 0
                loop.spawn { _ async in
                    _ = await result { () async throws(SocketError) in
                        let bytes = try await stream.read(timeout: .seconds(5))
                        try await stream.write(bytes)
                    }
                    if isKind { await stream.close() } else { await stream.abort() }
                }
            }
            return count
        }
        let clients = (0..<8).map { number in
            loop.spawn { loop async -> SocketError? in
                var dice = Dice(UInt64(number))
                do throws(SocketError) {
                    for _ in 0..<rounds / 8 { try await visit(listener.localAddress, &dice, loop) }
                } catch { return error }
                return nil
            }
        }
        for client in clients {
            if let error = await client.value { throw .failed(error.description) }
        }
        let count = await server.value
        try demand(count == rounds, "\(count) connections were accepted of \(rounds)")
        await listener.close()
    }

    /// One connection, which ends in one of several ways.
    private static func visit(_ address: SocketAddress, _ dice: inout Dice, _ loop: isolated EventLoop) async throws(SocketError) {
        let stream = try await TCPStream.connect(address, on: loop, timeout: ample)
        switch dice.roll(5) {
        case 0: await stream.abort()
        case 1: await stream.close()
        case 2:
            let reader = loop.spawn { _ async in await result { () async throws(SocketError) in try await stream.read() } }
            await Task.yield()
            await stream.abort()
            _ = await reader.value
        default:
            // The other side may break off at any time.
            _ = await result { () async throws(SocketError) in
                try await stream.write([1, 2, 3], timeout: ample)
                return try await stream.read(timeout: ample)
            }
            await stream.close()
        }
    }
}
