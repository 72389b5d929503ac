import Glibc
import LoopCore
import StreamOps
import Testing

@testable import SocketOps

@Suite("Sockets of the Unix domain, and datagrams") struct UnixTests {
    @Test("A listener at a name, its peers, and what is left of it") func listener() throws {
        let path = "/tmp/portloop-\(getpid())-\(#line).sock"
        try onLoop { loop in
            let listener = try await UnixListener.listen(path, on: loop)
            let near = try await UnixStream.connect(path, on: loop, timeout: .seconds(60))
            let far = try await listener.accept(timeout: .seconds(60))
            try await near.write("over\n")
            #expect(try await far.readLine(timeout: .seconds(60)) == Array("over".utf8))
            let peer = try await far.peerCredentials
            #expect(peer.process == getpid() && peer.user == getuid() && peer.group == getgid())
            #expect(try await near.remoteAddress.path == Array(path.utf8))
            await #expect(throws: SocketError.addressInUse) { try await UnixListener.listen(path, on: loop) }
            // That look was a connection, which is there to be accepted.
            await (try await listener.accept(timeout: .seconds(60))).close()
            await near.close()
            await far.close()
            await listener.close()
            #expect(!exists(path))
            await #expect(throws: SocketError.notFound) { try await UnixStream.connect(path, on: loop) }
        }
    }

    @Test("A name that a listener left behind is taken over, and a file is not") func leftBehind() throws {
        let path = "/tmp/portloop-\(getpid())-\(#line).sock"
        try onLoop { loop in
            // As a process that was ended leaves it.
            let dead = try NativeSocket.make(SocketFamily.unix, .stream)
            try dead.bind(try #require(SocketAddress(path: Array(path.utf8))))
            dead.close()
            await #expect(throws: SocketError.refused) { try await UnixStream.connect(path, on: loop) }
            let listener = try await UnixListener.listen(path, on: loop)
            await listener.close()
            makeFile(path)
            await #expect(throws: SocketError.addressInUse) { try await UnixListener.listen(path, on: loop) }
            #expect(exists(path))
            removeFile(path)
        }
    }

    @Test("A pair: many small pieces, and the end") func pair() throws {
        try onLoop { loop in
            let (one, other) = try UnixStream.pair(on: loop)
            let writer = loop.spawn { _ in
                for number in 0..<5_000 { try await one.write("\(number)\n") }
                try await one.finishWriting()
            }
            var next = 0
            for try await line in other.lines(limit: 64, timeout: .seconds(60)).all {
                #expect(line == Array("\(next)".utf8))
                next += 1
            }
            #expect(next == 5_000)
            try await writer.value
            await one.close()
            await other.close()
        }
    }

    @Test("One function serves every stream") func generic() throws {
        try onLoop { loop in
            func answer(_ stream: some ByteStream) async throws {
                let line = try await stream.readLine(timeout: .seconds(60))
                try await stream.write(line.reversed() + [0x0A], timeout: .seconds(60))
            }
            let (one, other) = try UnixStream.pair(on: loop)
            let ends = try await loop.connection()
            try await one.write("abc\n")
            try await ends.near.write("xyz\n")
            try await answer(other)
            try await answer(ends.far)
            #expect(try await one.readLine(timeout: .seconds(60)) == Array("cba".utf8))
            #expect(try await ends.near.readLine(timeout: .seconds(60)) == Array("zyx".utf8))
            // A bridge, both ways, until one side ends.
            let there = loop.spawn { _ in try await ends.far.copy(to: other) }
            try await ends.near.write("through the bridge")
            #expect(try await one.readExactly(18, timeout: .seconds(60)) == Array("through the bridge".utf8))
            try await ends.near.finishWriting()
            #expect(try await there.value == 18)
            for stream in [one, other] { await stream.close() }
            await ends.near.close()
            await ends.far.close()
        }
    }

    @Test("Datagrams go there and back, whole, and one that cannot arrive breaks nothing") func datagrams() throws {
        try onLoop { loop in
            let here = try UDPSocket.open(at: SocketAddress(.loopback4, port: 0), on: loop)
            let there = try UDPSocket.open(at: SocketAddress(.loopback4, port: 0), on: loop)
            let waiting = loop.spawn { _ in try await there.receive(timeout: .seconds(60)) }
            try await loop.sleep(for: .milliseconds(1))
            try await here.send([1, 2, 3], to: try await there.localAddress)
            let first = try await waiting.value
            #expect(first.bytes == [1, 2, 3] && !first.isCut)
            try await there.send([], to: first.sender)
            #expect(try await here.receive(timeout: .seconds(60)).bytes == [])
            let large = [UInt8](repeating: 9, count: 60_000)
            try await there.send(large, to: first.sender)
            #expect(try await here.receive(timeout: .seconds(60)).bytes == large)
            await #expect(throws: SocketError.tooLong) {
                try await there.send([UInt8](repeating: 9, count: 70_000), to: try await here.localAddress)
            }
            let address = try await there.localAddress
            await there.close()
            try await here.send([4], to: address)
            let none = await result { () async throws(SocketError) in try await here.receive(timeout: .milliseconds(20)) }
            #expect(none.failure == .timedOut(.receive, moved: 0))
            // Connected, the same is told.
            try await here.connect(address)
            #expect(try await refusal(of: here) == .refused)
            // The event of an error that has been told says nothing any more.
            try await loop.expectRest { () async throws(SocketError) in try await here.receive(timeout: .milliseconds(50)) }
            await here.close()
            #expect(loop.metrics.operations.submitted == 0)
        }
    }
}

/// What a reader is told of datagrams that nobody takes. The kernel may lose one, or its answer, on a full machine: then another is sent,
/// and that throws if there is an error after all which the reader was not told.
private func refusal(of socket: UDPSocket) async throws -> SocketError? {
    for _ in 0..<60 {
        try await socket.send([5])
        let told = await result { () async throws(SocketError) in try await socket.receive(timeout: .seconds(1)) }
        if told.failure != .timedOut(.receive, moved: 0) { return told.failure }
    }
    return .timedOut(.receive, moved: 0)
}

// SAFETY: a string that is handed to C ends with a zero.
private func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

// SAFETY: as above.
private func makeFile(_ path: String) { close(unsafe creat(path, 0o600)) }

// SAFETY: as above.
private func removeFile(_ path: String) { unsafe unlink(path) }
