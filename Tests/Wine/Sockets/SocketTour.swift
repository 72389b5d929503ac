internal import LoopCore
internal import SocketOps
internal import StreamOps
internal import _Concurrency

/// A program that uses sockets in every way that all platforms have, and says what it sees. The same file runs on Linux (SocketOpsTests has
/// a link to it) and on Windows, and what it says has to be the same text.
enum SocketTour {
    /// What it says.
    static let expected = [
        "listening at 127.0.0.1", "the other side is 127.0.0.1", "a line: hello", "the rest: world", "exactly: 0123", "reversed: zyx",
        "a lent byte: a of 3", "a buffer: bc", "in pieces: one two three", "early: the time was up in read, after 2 bytes.",
        "cancelled: the task was cancelled in read, after 2 bytes.", "nothing was lost: ok!",
        "a limit: no end of a frame in 4 bytes. Read them, or allow longer frames.", "the frame: 0123456789",
        "ended: the other side has ended, and 4 bytes are all there is. Read them, or connect again.", "the last: last",
        "after its end: the socket was closed on this side. Open another one.", "still heard: goodbye",
        "a megabyte: 1048576 bytes, 131072 of each", "closed here: the socket was closed on this side. Open another one.",
        "aborted there: the other side broke the connection off. Connect again.",
        "nobody there: nobody listens at that address. Start the server, or look at the port.",
        "taken: another socket has that address. End its program, or use another port.",
        "not ours: that address is not this machine's. Use one of its own, or `::`.",
        "a datagram: 3 bytes from the same port", "no datagram: the time was up in receive, after 0 bytes.",
        "too long: the datagram is longer than the network carries. Send less at once.", "version 6: [::1]", "open connections: 0",
    ]

    static func run(on loop: isolated EventLoop) async -> [String] {
        let tour = Tour()
        do throws(SocketError) {
            try await tour.streams(loop)
            try await tour.ends(loop)
            try await tour.refusals(loop)
            try await tour.datagrams(loop)
        } catch {
            tour.say("it failed: \(error.description)")
        }
        return tour.said
    }
}

/// Long enough for any machine.
private let patience = Duration.seconds(20)

private final class Tour {
    private(set) var said: [String] = []

    func say(_ line: String) { said.append(line) }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func connection(_ loop: isolated EventLoop) async throws(SocketError) -> (TCPListener, TCPStream, TCPStream) {
        let listener = try TCPListener.listen(at: SocketAddress(.loopback4, port: 0), on: loop)
        let near = try await TCPStream.connect(listener.localAddress, on: loop, timeout: patience)
        return (listener, near, try await listener.accept(timeout: patience))
    }

    func streams(_ loop: isolated EventLoop) async throws(SocketError) {
        let (listener, near, far) = try await connection(loop)
        say("listening at \(listener.localAddress.ip?.description ?? "?")")
        say("the other side is \(try await far.remoteAddress.ip?.description ?? "?")")
        try await near.write("hello\r\nworld")
        say("a line: \(text(try await far.readLine(timeout: patience)))")
        say("the rest: \(text(try await far.readExactly(5, timeout: patience)))")
        try await near.write("0123xyz\n")
        say("exactly: \(text(try await far.readExactly(4, timeout: patience)))")
        try await answer(far)
        say("reversed: \(text(try await near.readLine(timeout: patience)))")
        try await near.write("abc")
        try await far.read(atLeast: 3, timeout: patience, interByte: nil) { bytes, _ in
            self.say("a lent byte: \(String(UnicodeScalar(bytes.byte(at: 0)))) of \(bytes.byteCount)")
            return .take(1)
        }
        var buffer = IOBuffer(capacity: 16)
        _ = try await far.read(into: &buffer, timeout: patience)
        say("a buffer: \(text(buffer.copyBytes()))")
        try await near.write(pieces: [Array("one ".utf8), [], Array("two ".utf8), Array("three\n".utf8)])
        say("in pieces: \(text(try await far.readLine(timeout: patience)))")
        try await near.write("ok")
        _ = try await far.read(atLeast: 2, timeout: patience, interByte: nil) { _, _ in .take(0) }
        say("early: \(await failure { () async throws(SocketError) in try await far.readExactly(3, timeout: .milliseconds(20)) })")
        let reader = loop.spawn { _ async in await failureOfRead(far) }
        await Task.yield()
        reader.cancel()
        say("cancelled: \(await reader.value)")
        try await near.write("!")
        say("nothing was lost: \(text(try await far.readExactly(3, timeout: patience)))")
        try await near.write("0123456789\n")
        say("a limit: \(await failure { () async throws(SocketError) in try await far.readLine(limit: 4, timeout: patience) })")
        say("the frame: \(text(try await far.readLine(timeout: patience)))")
        for stream in [near, far] { await stream.close() }
        await listener.close()
    }

    /// A protocol that is written for any stream.
    private func answer<Stream: ByteStream>(_ stream: Stream) async throws(Stream.Failure) {
        try await stream.write(Array(try await stream.readLine(timeout: patience).reversed()) + [0x0A], timeout: patience)
    }

    func ends(_ loop: isolated EventLoop) async throws(SocketError) {
        let (listener, near, far) = try await connection(loop)
        try await near.write("last")
        try await near.finishWriting()
        say("ended: \(await failure { () async throws(SocketError) in try await far.readLine(timeout: patience) })")
        say("the last: \(text(try await far.read(timeout: patience)))")
        say("after its end: \(await failure { () async throws(SocketError) in try await near.write("more") })")
        try await far.write("goodbye\n")
        say("still heard: \(text(try await near.readLine(timeout: patience)))")
        try await bulk(loop, from: far, to: near)
        await near.close()
        say("closed here: \(await failure { () async throws(SocketError) in try await near.read() })")
        await far.close()

        let one = try await TCPStream.connect(listener.localAddress, on: loop, timeout: patience)
        let other = try await listener.accept(timeout: patience)
        // Somebody waits for it: Wine may keep a reset to itself that nobody waits for.
        let before = loop.metrics.operations.submitted
        let reader = loop.spawn { _ async in await failureOfRead(other) }
        while loop.metrics.operations.submitted == before { await Task.yield() }
        await one.abort()
        say("aborted there: \(await reader.value)")
        await other.close()
        await listener.close()
    }

    private func bulk(_ loop: isolated EventLoop, from source: TCPStream, to sink: TCPStream) async throws(SocketError) {
        let total = 1 << 20
        let writer = loop.spawn { _ async in
            let bytes = (0..<total).map { UInt8($0 % 8) }
            do throws(SocketError) { try await source.write(bytes, timeout: patience) } catch {}
        }
        var counts = [Int](repeating: 0, count: 8)
        var received = 0
        while received < total {
            let piece = try await sink.read(timeout: patience)
            if piece.isEmpty { break }
            received += piece.count
            for byte in piece { counts[Int(byte)] += 1 }
        }
        await writer.value
        say("a megabyte: \(received) bytes, \(counts.min() ?? 0) of each")
    }

    func refusals(_ loop: isolated EventLoop) async throws(SocketError) {
        let listener = try TCPListener.listen(at: SocketAddress(.loopback4, port: 0), on: loop)
        let gone = try TCPListener.listen(at: SocketAddress(.loopback4, port: 0), on: loop)
        let address = gone.localAddress
        await gone.close()
        say(
            "nobody there: "
                + (await failure { () async throws(SocketError) in try await TCPStream.connect(address, on: loop, timeout: patience) })
        )
        let taken = await failure { () async throws(SocketError) in try TCPListener.listen(at: listener.localAddress, on: loop) }
        say("taken: \(taken)")
        say("not ours: \(await failure { () async throws(SocketError) in try await TCPListener.listen("192.0.2.1", 0, on: loop) })")
        await listener.close()
    }

    func datagrams(_ loop: isolated EventLoop) async throws(SocketError) {
        let here = try UDPSocket.open(at: SocketAddress(.loopback4, port: 0), on: loop)
        let there = try UDPSocket.open(at: SocketAddress(.loopback4, port: 0), on: loop)
        try await here.send([1, 2, 3], to: try await there.localAddress)
        let datagram = try await there.receive(timeout: patience)
        let isSame = datagram.sender.port == (try await here.localAddress).port
        say("a datagram: \(datagram.bytes.count) bytes from \(isSame ? "the same port" : "another port")")
        say("no datagram: \(await failure { () async throws(SocketError) in try await there.receive(timeout: .milliseconds(20)) })")
        let long = [UInt8](repeating: 0, count: 70_000)
        say("too long: \(await failure { () async throws(SocketError) in try await here.send(long, to: try await there.localAddress) })")
        await here.close()
        await there.close()

        let listener = try await TCPListener.listen("::1", 0, on: loop)
        let near = try await TCPStream.connect("::1", listener.port, on: loop, timeout: patience)
        let far = try await listener.accept(timeout: patience)
        say("version 6: [\(try await near.remoteAddress.ip?.description ?? "?")]")
        for stream in [near, far] { await stream.close() }
        say("open connections: \(await listener.connections)")
        await listener.close()
    }
}

/// What a call that is to fail throws.
private func failure<R>(isolation: isolated (any Actor)? = #isolation, _ body: () async throws(SocketError) -> R) async -> String {
    do throws(SocketError) {
        _ = try await body()
        return "nothing was thrown"
    } catch {
        return error.description
    }
}

private func failureOfRead(_ stream: TCPStream) async -> String {
    await failure { () async throws(SocketError) in try await stream.readExactly(3) }
}
