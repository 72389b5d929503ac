import LoopCore
import Testing

@testable import SocketOps

@Suite("Listening and connecting") struct ConnectTests {
    @Test("By name, by number, and by either version") func ways() throws {
        try onLoop { loop in
            let both = try await TCPListener.listen("::", 0, on: loop)
            for host in ["localhost", "127.0.0.1", "::1"] {
                let near = try await TCPStream.connect(host, both.port, on: loop, timeout: .seconds(60))
                let far = try await both.accept(timeout: .seconds(60))
                try await far.write("x")
                #expect(try await near.readExactly(1, timeout: .seconds(60)) == [0x78])
                #expect(try await near.remoteAddress.port == both.port)
                #expect(try await far.remoteAddress.port == (try await near.localAddress).port)
                await near.close()
                await far.close()
            }
            await both.close()
        }
    }

    @Test("Each refusal is a case of its own") func refusals() throws {
        try onLoop { loop in
            let listener = try TCPListener.listen(at: SocketAddress(.loopback4, port: 0), on: loop)
            await #expect(throws: SocketError.addressInUse) { try await TCPListener.listen("127.0.0.1", listener.port, on: loop) }
            await listener.close()
            await #expect(throws: SocketError.refused) { try await TCPStream.connect(listener.localAddress, on: loop) }
            await #expect(throws: SocketError.addressNotAvailable) { try await TCPListener.listen("192.0.2.1", 0, on: loop) }
            let name = await result { () async throws(SocketError) in
                try await TCPStream.connect("no-such-name.invalid", 80, on: loop, timeout: .seconds(20))
            }
            guard case .name(.nameNotFound)? = name.failure else {
                // Without a network the system may not be able to ask.
                guard case .name(.temporaryFailure)? = name.failure else {
                    Issue.record("a name that is none came to \(name)")
                    return
                }
                return
            }
        }
    }

    @Test("A connect that nobody answers ends in time, and when it is cancelled") func silence() throws {
        try onLoop { loop in
            // A listener whose queue is full answers nobody.
            let listener = try TCPListener.listen(at: SocketAddress(.loopback4, port: 0), ListenOptions(backlog: 1), on: loop)
            var first: [TCPStream] = []
            var isFull = false
            while !isFull {
                let next = await result { () async throws(SocketError) in
                    try await TCPStream.connect(listener.localAddress, on: loop, timeout: .milliseconds(50))
                }
                switch next {
                case .success(let stream): first.append(stream)
                case .failure(let error):
                    #expect(error == .timedOut(.connect, moved: 0))
                    isFull = true
                }
            }
            let waiting = loop.spawn { _ async in
                await result { () async throws(SocketError) in try await TCPStream.connect(listener.localAddress, on: loop) }
            }
            try await loop.sleep(for: .milliseconds(1))
            waiting.cancel()
            #expect(await waiting.value.failure == .cancelled(.connect, moved: 0))
            for stream in first { await stream.close() }
            await listener.close()
            #expect(loop.metrics.operations.submitted == 0)
        }
    }

    @Test("An address that does not answer costs its head start, and no more") func race() throws {
        try onLoop { loop in
            let full = try TCPListener.listen(at: SocketAddress(.loopback4, port: 0), ListenOptions(backlog: 1), on: loop)
            var held: [TCPStream] = []
            while let stream = try? await TCPStream.connect(full.localAddress, on: loop, timeout: .milliseconds(50)) { held.append(stream) }
            let good = try TCPListener.listen(at: SocketAddress(.loopback4, port: 0), on: loop)
            let gone = try TCPListener.listen(at: SocketAddress(.loopback4, port: 0), on: loop)
            await gone.close()
            let start = loop.now
            let near = try await TCPStream.connect(
                toFirstOf: [full.localAddress, gone.localAddress, good.localAddress], on: loop, headStart: .milliseconds(30),
                timeout: .seconds(60))
            #expect(loop.now.nanoseconds(since: start) >= 30_000_000)
            #expect(try await near.remoteAddress.port == good.port)
            let far = try await good.accept(timeout: .seconds(60))
            await #expect(throws: SocketError.refused) {
                try await TCPStream.connect(toFirstOf: [gone.localAddress, gone.localAddress], on: loop)
            }
            await #expect(throws: SocketError.malformedAddress) { try await TCPStream.connect(toFirstOf: [], on: loop) }
            for stream in held + [near, far] { await stream.close() }
            await full.close()
            await good.close()
            #expect(loop.metrics.operations.submitted == 0)
        }
    }

    @Test("An accept that is given up loses no connection") func acceptGivenUp() throws {
        try onLoop { loop in
            let listener = try TCPListener.listen(at: SocketAddress(.loopback4, port: 0), on: loop)
            let early = await result { () async throws(SocketError) in try await listener.accept(timeout: .milliseconds(5)) }
            #expect(early.failure == .timedOut(.accept, moved: 0))
            let waiting = loop.spawn { _ async in await result { () async throws(SocketError) in try await listener.accept() } }
            try await loop.sleep(for: .milliseconds(1))
            waiting.cancel()
            #expect(await waiting.value.failure == .cancelled(.accept, moved: 0))
            let near = try await TCPStream.connect(listener.localAddress, on: loop, timeout: .seconds(60))
            let far = try await listener.accept(timeout: .seconds(60))
            try await near.write("!")
            #expect(try await far.read(timeout: .seconds(60)) == [0x21])
            let last = loop.spawn { _ async in await result { () async throws(SocketError) in try await listener.accept() } }
            try await loop.sleep(for: .milliseconds(1))
            await listener.close()
            #expect(await last.value.failure == .closed)
            await near.close()
            await far.close()
        }
    }

    @Test("A limit on connections holds accepting back until one is closed") func limit() throws {
        try onLoop { loop in
            let listener = try TCPListener.listen(
                at: SocketAddress(.loopback4, port: 0), ListenOptions(connectionsMax: 1), on: loop)
            let first = try await TCPStream.connect(listener.localAddress, on: loop, timeout: .seconds(60))
            let second = try await TCPStream.connect(listener.localAddress, on: loop, timeout: .seconds(60))
            let one = try await listener.accept(timeout: .seconds(60))
            let early = await result { () async throws(SocketError) in try await listener.accept(timeout: .milliseconds(5)) }
            #expect(early.failure == .timedOut(.accept, moved: 0))
            let waiting = loop.spawn { _ in try await listener.accept(timeout: .seconds(60)) }
            try await loop.sleep(for: .milliseconds(1))
            await one.close()
            let two = try await waiting.value
            #expect(await listener.connections == 1)
            for stream in [first, second, two] { await stream.close() }
            #expect(await listener.connections == 0)
            await listener.close()
        }
    }

    @Test("Options are the system's afterwards") func options() throws {
        try onLoop { loop in
            let ends = try await loop.connection()
            let native = ends.near.socket.here.on(loop).native
            #expect(try native.get(.noDelay) == 1)
            try await ends.near.setNoDelay(false)
            #expect(try native.get(.noDelay) == 0)
            try await ends.near.setKeepAlive(KeepAlive(idle: .seconds(30), interval: .milliseconds(1_500), count: 3))
            #expect(try native.get(.keepAlive) == 1 && native.get(.keepAliveIdle) == 30)
            #expect(try native.get(.keepAliveInterval) == 2 && native.get(.keepAliveCount) == 3)
            try await ends.near.setKeepAlive(nil)
            #expect(try native.get(.keepAlive) == 0)
            try await ends.near.setBuffers(receiving: 65_536, sending: 65_536)
            #expect(try native.get(.receiveBuffer) >= 65_536 && native.get(.sendBuffer) >= 65_536)
            #expect(try ends.far.socket.here.on(loop).native.get(.noDelay) == 1)
            await ends.near.close()
            await ends.far.close()
            let shared = ListenOptions(sharesPort: true)
            let one = try TCPListener.listen(at: SocketAddress(.loopback4, port: 0), shared, on: loop)
            let two = try TCPListener.listen(at: one.localAddress, shared, on: loop)
            #expect(one.port == two.port)
            await one.close()
            await two.close()
        }
    }
}
