internal import LoopCore
internal import SocketOps
internal import StreamOps
internal import _Concurrency

/// Datagrams over the real completion port.
enum UDPCases {
    static var suite: Suite {
        Suite(
            "SocketOps: datagrams",
            on: [
                .sockets("they go both ways, whole, with their senders", bothWays),
                .sockets("one that nobody takes does not fail the next receive", toNobody),
                .sockets("a receive that is given up loses none", givenUp),
                .sockets("a connected socket has one other side", connected),
                .sockets("a close ends those who receive", closed),
                .sockets("each refusal is a case of its own", refusals),
            ])
    }

    private static func open(_ loop: isolated EventLoop) throws(Unmet) -> UDPSocket {
        do throws(SocketError) {
            return try UDPSocket.open(at: SocketAddress(.loopback4, port: 0), on: loop)
        } catch {
            throw .failed("a socket: \(error.description)")
        }
    }

    private static func address(_ socket: UDPSocket, isolation: isolated (any Actor)? = #isolation) async throws(Unmet) -> SocketAddress {
        try await must("the address") { () async throws(SocketError) in try await socket.localAddress }
    }

    private static func receive(_ socket: UDPSocket, isolation: isolated (any Actor)? = #isolation) async throws(Unmet) -> Datagram {
        try await must("a receive") { () async throws(SocketError) in try await socket.receive(timeout: ample) }
    }

    private static func send(
        _ bytes: [UInt8], from socket: UDPSocket, to address: SocketAddress?, isolation: isolated (any Actor)? = #isolation
    ) async throws(Unmet) {
        try await must("a send") { () async throws(SocketError) in try await socket.send(bytes, to: address, timeout: ample) }
    }

    private static func bothWays(_ loop: isolated EventLoop) async throws(Unmet) {
        let (one, two) = (try open(loop), try open(loop))
        let (here, there) = (try await address(one), try await address(two))
        for size in [5, 0, 1, 1_400, 60_000] {
            let waiting = loop.spawn { _ async in await result { () async throws(SocketError) in try await two.receive(timeout: ample) }
            }
            try await loop.wait(untilInFlight: 1)
            try await send(numbered(size), from: one, to: there)
            guard case .success(let datagram) = await waiting.value else { throw .failed("\(size) bytes did not come") }
            try demandEqual(datagram.bytes, numbered(size), "a datagram")
            try demand(datagram.sender.text == here.text && !datagram.isCut, "its sender is \(datagram.sender.text)")
            try await send(datagram.bytes, from: two, to: datagram.sender)
            try demandEqual(try await receive(one).bytes, numbered(size), "the answer")
        }
        await one.close()
        await two.close()
    }

    private static func toNobody(_ loop: isolated EventLoop) async throws(Unmet) {
        let (one, two, gone) = (try open(loop), try open(loop), try open(loop))
        let (there, nobody) = (try await address(one), try await address(gone))
        await gone.close()
        for _ in 0..<3 { try await send([1], from: one, to: nobody) }
        try await mustFail("a receive", .timedOut(.receive, moved: 0)) { () async throws(SocketError) in
            try await one.receive(timeout: .milliseconds(20))
        }
        try await send([2], from: two, to: there)
        try demandEqual(try await receive(one).bytes, [2], "what came")
        await one.close()
        await two.close()
    }

    private static func givenUp(_ loop: isolated EventLoop) async throws(Unmet) {
        let (one, two) = (try open(loop), try open(loop))
        let there = try await address(two)
        for round in 0..<60 {
            let waiting = loop.spawn { _ async in
                await result { () async throws(SocketError) in
                    try await two.receive(timeout: round.isMultiple(of: 2) ? .microseconds(50) : nil).bytes
                }
            }
            await Task.yield()
            try await send([UInt8(round)], from: one, to: there)
            waiting.cancel()
            switch await waiting.value {
            case .success(let bytes): try demandEqual(bytes, [UInt8(round)], "round \(round)")
            case .failure(.timedOut(.receive, moved: 0)), .failure(.cancelled(.receive, moved: 0)):
                try demandEqual(try await receive(two).bytes, [UInt8(round)], "round \(round), later")
            case .failure(let error): throw .failed(error.description)
            }
        }
        await one.close()
        await two.close()
    }

    private static func connected(_ loop: isolated EventLoop) async throws(Unmet) {
        let (one, two, other) = (try open(loop), try open(loop), try open(loop))
        let (here, there) = (try await address(one), try await address(two))
        try await must("connect") { () async throws(SocketError) in try await one.connect(there) }
        try await send([1], from: one, to: nil)
        try demandEqual(try await receive(two).bytes, [1], "without an address")
        // What others send does not come.
        try await send([2], from: other, to: here)
        try await send([3], from: two, to: here)
        try demandEqual(try await receive(one).bytes, [3], "of the other side alone")
        await two.close()
        await other.close()
        // Nobody is there any more, and that is told: to the next who sends, or to who receives. Wine's driver takes the news for itself.
        let told = await result { () async throws(SocketError) in
            for _ in 0..<3 { try await one.send([4], timeout: ample) }
            _ = try await one.receive(timeout: isOnWine ? .milliseconds(20) : ample)
        }
        await one.close()
        if isOnWine, told.isFailure(.timedOut(.receive, moved: 0)) { return }
        try demandFailure(told, .refused, "nobody is there")
    }

    private static func closed(_ loop: isolated EventLoop) async throws(Unmet) {
        let one = try open(loop)
        let waiting = (0..<2).map { _ in
            loop.spawn { _ async in await result { () async throws(SocketError) in try await one.receive().bytes } }
        }
        try await loop.wait(untilInFlight: 1)
        await one.close()
        await one.close()
        for fiber in waiting { try demandFailure(await fiber.value, .closed, "a receive") }
        try await mustFail("a send", .closed) { () async throws(SocketError) in try await one.send([1]) }
    }

    private static func refusals(_ loop: isolated EventLoop) async throws(Unmet) {
        let one = try open(loop)
        let here = try await address(one)
        try await mustFail("a second socket", .addressInUse) { () async throws(SocketError) in
            try UDPSocket.open(at: here, on: loop)
        }
        let elsewhere = await result { () async throws(SocketError) in
            let socket = try UDPSocket.open(at: SocketAddress(port: 0), on: loop)
            await socket.close()
        }
        // Wine takes any address for datagrams.
        if !isOnWine || !elsewhere.isSuccess { try demandFailure(elsewhere, .addressNotAvailable, "another machine's address") }
        try await mustFail("a datagram of 70,000 bytes", .tooLong) { () async throws(SocketError) in
            try await one.send(numbered(70_000), to: here)
        }
        try await mustFail("a shared port", .notSupported(.option)) { () async throws(SocketError) in
            try UDPSocket.open(at: here, DatagramOptions(sharesPort: true), on: loop)
        }
        await one.close()
    }
}

extension SocketAddress {
    /// Of a network for documentation: no machine has it.
    fileprivate init(port: UInt16) {
        self = IPAddress(bytes: [192, 0, 2, 1]).map { SocketAddress($0, port: port) } ?? SocketAddress()
    }
}
