import CTestSupport
import Glibc
import LoopCore
import LoopSim
import StreamOps
import Testing

@testable import SocketOps

/// What sockets cost that do nothing, and what is left of those that are gone.
@Suite("What sockets cost", .serialized) struct CostTests {
    @Test("Connects, accepts and closes, with aborts on either side: nothing is left") func storm() async throws {
        let (before, after) = try await besides {
            // A table of this thread's own, so that no other test's are among them.
            try #require(portloop_test_unshare_descriptors(.max) == 0)
            let before = openSockets()
            try storm(rounds: isLong ? 20_000 : 2_000)
            return (before, openSockets())
        }
        #expect(after == before)
    }

    private func storm(rounds: Int) throws {
        try onLoop { loop in
            let listener = try TCPListener.listen(at: SocketAddress(.loopback4, port: 0), on: loop)
            let server = loop.spawn { loop in
                var random = SimulatedRandom(seed: 7)
                var served = 0
                while served < rounds {
                    let stream = try await listener.accept(timeout: .seconds(30))
                    served += 1
                    let fate = random.next() % 4
                    loop.spawn { _ async in
                        // Whatever the other side did by now.
                        if fate == 0 { return await stream.abort() }
                        if fate == 1 { return }
                        _ = try? await stream.copy(to: stream, timeout: .seconds(30))
                        await stream.close()
                    }
                }
            }
            var random = SimulatedRandom(seed: 3)
            for _ in 0..<(rounds / 50) {
                var fibers: [Fiber<Void, Never>] = []
                for _ in 0..<50 {
                    let fate = random.next() % 4
                    fibers.append(
                        loop.spawn { loop async in
                            guard let stream = try? await TCPStream.connect(listener.localAddress, on: loop, timeout: .seconds(30)) else {
                                return
                            }
                            if fate == 0 { return await stream.abort() }
                            if fate == 1 { return }
                            try? await stream.write("hello", timeout: .seconds(30))
                            _ = try? await stream.readExactly(5, timeout: .seconds(30))
                            await stream.close(within: .milliseconds(fate == 2 ? 1 : 5_000))
                        })
                }
                for fiber in fibers { await fiber.value }
            }
            try await server.value
            await listener.close()
            while await listener.connections > 0 { try await loop.sleep(for: .milliseconds(1)) }
            #expect(loop.metrics.operations.submitted == 0 && loop.metrics.operations.inFlight == 0)
            #expect(loop.metrics.handles == 0)
            #expect(loop.metrics.timersWaiting == 0)
        }
    }

    @Test("Idle connections: the kernel wakes the thread for the end of the wait, and for nothing else") func idle() throws {
        try onLoop { loop in
            let pairs = isLong ? 5_000 : 400
            var streams: [UnixStream] = []
            for _ in 0..<pairs {
                let (one, other) = try UnixStream.pair(on: loop)
                streams += [one, other]
            }
            let readers = streams.map { stream in
                loop.spawn { _ async in await result { () async throws(SocketError) in try await stream.read() } }
            }
            while loop.metrics.operations.submitted < streams.count { try await loop.sleep(for: .milliseconds(1)) }
            let (waits, switches) = (loop.metrics.port.kernelWaits, portloop_test_waits_of_this_thread())
            try await loop.sleep(for: .seconds(isLong ? 5 : 1))
            #expect(loop.metrics.port.kernelWaits - waits <= 2)
            #expect(portloop_test_waits_of_this_thread() - switches <= 2)
            for stream in streams { await stream.close() }
            for reader in readers {
                let end = await reader.value
                #expect(end == .failure(.closed) || end == .success([]))
            }
        }
    }

    @Test("Accepting pauses while there are no descriptors, and goes on when there are") func shortage() async throws {
        try await onLoopBesides { loop in
            // A table of this thread's own, so that no other test runs out of them.
            try #require(portloop_test_unshare_descriptors(.max) == 0)
            let listener = try TCPListener.listen(at: SocketAddress(.loopback4, port: 0), on: loop)
            let near = try await TCPStream.connect(listener.localAddress, on: loop, timeout: .seconds(60))
            var held: [Int32] = []
            while true {
                let fd = dup(1)
                if fd < 0 { break }
                held.append(fd)
            }
            let waiting = loop.spawn { _ in try await listener.accept(timeout: .seconds(30)) }
            let shortages = loop.metrics.port.shortages
            while loop.metrics.port.shortages == shortages { try await loop.sleep(for: .milliseconds(1)) }
            await #expect(throws: SocketError.exhausted) { try await TCPStream.connect(listener.localAddress, on: loop) }
            for fd in held { Glibc.close(fd) }
            let far = try await waiting.value
            for stream in [near, far] { await stream.close() }
            await listener.close()
        }
    }

    @Test("Streams that outlive their loop are closed when they are dropped") func outlived() async throws {
        let (before, meanwhile, after) = try await besides {
            // A table of this thread's own, so that no other test's are among them.
            try #require(portloop_test_unshare_descriptors(.max) == 0)
            let before = openSockets()
            var ends: Connection? = try onLoop { loop in try await loop.connection() }
            let meanwhile = openSockets()
            withExtendedLifetime(ends) {}
            ends = nil
            return (before, meanwhile, openSockets())
        }
        #expect(meanwhile == before + 2)
        #expect(after == before)
    }
}
