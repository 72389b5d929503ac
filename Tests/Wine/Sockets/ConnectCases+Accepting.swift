internal import LoopCore
internal import SocketOps
internal import StreamOps
internal import _Concurrency

// Who waits: for an answer, for a connection, for a place.
extension ConnectCases {
    /// A listener that nobody accepts from, and connections that fill its queue; none where the system answers one that is full.
    private static func fullListener(_ loop: isolated EventLoop) async throws(Unmet) -> (RawSocket, SocketAddress, [TCPStream]) {
        let listener = try RawSocket(.tcp)
        try listener.bind()
        try demand(listener.listen(backlog: 1) == 0, "listen")
        let address = Win32.address(of: listener.handle)
        var held: [TCPStream] = []
        while held.count < 8 {
            let next = await result { () async throws(SocketError) in
                try await TCPStream.connect(address, on: loop, timeout: .milliseconds(100))
            }
            switch next {
            case .success(let stream): held.append(stream)
            case .failure(.timedOut(.connect, moved: 0)): return (listener, address, held)
            case .failure(let error):
                for stream in held { await stream.close() }
                if error == .refused { throw .notApplicable("a system that is silent when a queue is full") }
                throw .failed(error.description)
            }
        }
        for stream in held { await stream.close() }
        throw .notApplicable("a queue that is ever full")
    }

    static func silence(_ loop: isolated EventLoop) async throws(Unmet) {
        let (listener, address, held) = try await fullListener(loop)
        let waiting = loop.spawn { loop async in
            await result { () async throws(SocketError) in try await TCPStream.connect(address, on: loop) }
        }
        try await loop.wait(untilInFlight: 1)
        waiting.cancel()
        switch await waiting.value {
        case .failure(let error): try demand(error == .cancelled(.connect, moved: 0), error.description)
        case .success: throw .failed("it was connected")
        }
        for stream in held { await stream.close() }
        try demand(listener.close() == 0, "close")
    }

    static func race(_ loop: isolated EventLoop) async throws(Unmet) {
        let (listener, silent, held) = try await fullListener(loop)
        let (good, gone) = (try loop.listener(), try loop.listener())
        await gone.close()
        let start = loop.now
        let near = try await must("the race") { () async throws(SocketError) in
            try await TCPStream.connect(
                toFirstOf: [silent, gone.localAddress, good.localAddress], on: loop, headStart: .milliseconds(30), timeout: ample)
        }
        try demand(loop.now.nanoseconds(since: start) >= 30_000_000, "the first has its head start")
        let far = try await loop.accept(from: good)
        try await far.put("x")
        try await near.expect("x")
        try await mustFail("only such as refuse", .refused) { () async throws(SocketError) in
            try await TCPStream.connect(toFirstOf: [gone.localAddress, gone.localAddress], on: loop, timeout: ample)
        }
        for stream in held + [near, far] { await stream.close() }
        await good.close()
        try demand(listener.close() == 0, "close")
    }

    static func queued(_ loop: isolated EventLoop) async throws(Unmet) {
        let listener = try loop.listener()
        var clients: [TCPStream] = []
        for number in 0..<20 {
            let client = try await loop.connect(to: listener)
            try await client.put([UInt8(number)])
            clients.append(client)
        }
        for number in 0..<20 {
            let far = try await loop.accept(from: listener)
            try demandEqual(try await far.take(1), [UInt8(number)], "connection \(number)")
            await far.close()
        }
        for client in clients { await client.close() }
        await listener.close()
    }

    static func several(_ loop: isolated EventLoop) async throws(Unmet) {
        let listener = try loop.listener()
        let acceptors = (0..<12).map { _ in
            loop.spawn { _ async in await result { () async throws(SocketError) in try await listener.accept(timeout: ample) } }
        }
        try await loop.wait(untilInFlight: 12)
        var clients: [TCPStream] = []
        for _ in 0..<12 { clients.append(try await loop.connect(to: listener)) }
        for fiber in acceptors {
            switch await fiber.value {
            case .success(let stream): await stream.close()
            case .failure(let error): throw .failed(error.description)
            }
        }
        for client in clients {
            try await client.expectEnd()
            await client.close()
        }
        await listener.close()
    }

    static func acceptGivenUp(_ loop: isolated EventLoop) async throws(Unmet) {
        let listener = try loop.listener()
        for round in 0..<40 {
            let waiting = loop.spawn { _ async in
                await result { () async throws(SocketError) in
                    try await listener.accept(timeout: round.isMultiple(of: 2) ? .zero : nil)
                }
            }
            await Task.yield()
            let near = try await loop.connect(to: listener)
            try await near.put([UInt8(round)])
            waiting.cancel()
            let far: TCPStream
            switch await waiting.value {
            case .success(let stream): far = stream
            case .failure(.timedOut(.accept, moved: 0)), .failure(.cancelled(.accept, moved: 0)):
                far = try await loop.accept(from: listener)
            case .failure(let error): throw .failed(error.description)
            }
            try demandEqual(try await far.take(1), [UInt8(round)], "the connection of round \(round)")
            await near.close()
            await far.close()
        }
        await listener.close()
    }

    static func closedWhileAccepting(_ loop: isolated EventLoop) async throws(Unmet) {
        let listener = try loop.listener()
        let waiting = (0..<3).map { _ in
            loop.spawn { _ async in await result { () async throws(SocketError) in try await listener.accept() } }
        }
        try await loop.wait(until: "they wait") { loop.metrics.operations.submitted >= 3 }
        await listener.close()
        await listener.close()
        for fiber in waiting {
            guard case .failure(.closed) = await fiber.value else { throw .failed("an accept was not told") }
        }
        try await mustFail("an accept", .closed) { () async throws(SocketError) in try await listener.accept() }
        let next = try await must("the address again") { () async throws(SocketError) in
            try TCPListener.listen(at: listener.localAddress, on: loop)
        }
        await next.close()
    }

    static func limit(_ loop: isolated EventLoop) async throws(Unmet) {
        let listener = try loop.listener(ListenOptions(connectionsMax: 1))
        let (first, second) = (try await loop.connect(to: listener), try await loop.connect(to: listener))
        let one = try await loop.accept(from: listener)
        try await mustFail("a second one", .timedOut(.accept, moved: 0)) { () async throws(SocketError) in
            try await listener.accept(timeout: .milliseconds(5))
        }
        let waiting = loop.spawn { _ async in
            await result { () async throws(SocketError) in try await listener.accept(timeout: ample) }
        }
        await one.close()
        guard case .success(let two) = await waiting.value else { throw .failed("there was a place") }
        try demand(await listener.connections == 1, "connections")
        for stream in [first, second, two] { await stream.close() }
        try demand(await listener.connections == 0, "connections at the end")
        await listener.close()
    }

    static func dropped(_ loop: isolated EventLoop) async throws(Unmet) {
        let near = try await clientOfDropped(loop)
        // A system that resets what nobody has accepted is right too.
        switch await result({ () async throws(SocketError) in try await near.read(timeout: ample) }) {
        case .success([]), .failure(.reset): await near.close()
        default: throw .failed("it was not closed")
        }
    }

    private static func clientOfDropped(_ loop: isolated EventLoop) async throws(Unmet) -> TCPStream {
        let listener = try loop.listener()
        try await mustFail("an accept", .timedOut(.accept, moved: 0)) { () async throws(SocketError) in
            try await listener.accept(timeout: .zero)
        }
        return try await loop.connect(to: listener)
    }

    static func unsupported(_ loop: isolated EventLoop) async throws(Unmet) {
        try await mustFail("a shared port", .notSupported(.option)) { () async throws(SocketError) in
            try TCPListener.listen(at: SocketAddress(.loopback4, port: 0), ListenOptions(sharesPort: true), on: loop)
        }
        let path = Win32.temporaryFolder + "portloop-socket"
        let made = await result { () async throws(SocketError) in try await UnixListener.listen(path, on: loop) }
        switch made {
        case .success(let listener): await listener.close()
        case .failure(let error): try demand(error == .notSupported(.open), "a socket of the Unix domain: \(error.description)")
        }
    }
}
