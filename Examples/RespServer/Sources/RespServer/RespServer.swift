import Portloop
import SocketOps

/// Takes connections until it is cancelled.
func serve(_ port: UInt16, on loop: isolated EventLoop) async throws(SocketError) {
    let listener = try await TCPListener.listen("127.0.0.1", port, ListenOptions(connectionsMax: 1_000), on: loop)
    say("listening on port \(listener.port)")
    let store = Store(on: loop)
    while true {
        let stream = try await listener.accept()
        loop.spawn(name: "connection") { _ async in
            // The client is gone, or the program ends.
            do throws(SocketError) { try await answer(stream, from: store) } catch {}
            await stream.close(within: .seconds(1))
        }
    }
}

/// Answers commands until the client has ended. Those that came together are answered together: one read, and one write.
func answer<Stream: ByteStream>(_ stream: Stream, from store: Store) async throws(Stream.Failure) {
    var (parser, replies, isLast) = (RespParser(), [UInt8](), false)
    while !isLast {
        var command: [[UInt8]]?
        do throws(ProtocolError) {
            command = try parser.next()
        } catch {
            replies += failure("Protocol error: \(error.sentence)")
            isLast = true
        }
        if let command {
            replies += await store.reply(to: command)
            isLast = command == [Array("QUIT".utf8)]
            // A client that asks for much has to take it before it has more.
            if replies.count < 65_536, !isLast { continue }
        }
        if !replies.isEmpty { try await stream.write(replies, timeout: .seconds(30)) }
        replies.removeAll(keepingCapacity: true)
        if command != nil || isLast { continue }
        let bytes = try await stream.read()
        if bytes.isEmpty { return }
        parser.feed(bytes)
    }
}
