import Portloop
import SocketOps

/// Limits, so that nobody can take more than a share: a client costs 250 lines of 1000 bytes at most.
let connectionsMax = 100
/// More than there are clients: each may say a line before the first to hear it has his turn.
let linesWaitingMax = 250
let lineBytesMax = 1_000

/// Takes connections until it is cancelled.
func serve(_ port: UInt16, on loop: isolated EventLoop) async throws(SocketError) {
    let listener = try await TCPListener.listen("127.0.0.1", port, ListenOptions(connectionsMax: connectionsMax), on: loop)
    say("listening on port \(listener.port)")
    let room = Room(on: loop)
    while true {
        let stream = try await listener.accept()
        loop.spawn(name: "client") { _ async in await converse(stream, in: room) }
    }
}

/// A client from the first word to the last.
func converse(_ stream: TCPStream, in room: Room) async {
    do throws(SocketError) {
        // One whose machine is gone says nothing, and does not hang up.
        try await stream.setKeepAlive(KeepAlive())
        if let member = try await welcome(stream, to: room) {
            await listen(to: stream, as: member, in: room)
            await room.leave(member)
            await member.writer.value
        }
    } catch {
        // Gone before there was a name.
    }
    await stream.close()
}

/// Asks for a name until it is one that nobody has; nil for somebody who has none.
func welcome(_ stream: TCPStream, to room: Room) async throws(SocketError) -> Member? {
    for _ in 0..<3 {
        try await stream.write("Your name?\n", timeout: .seconds(10))
        let name = text(try await stream.readLine(limit: lineBytesMax, timeout: .seconds(60)))
        guard (1...20).contains(name.count), !name.contains(" ") else { continue }
        if let member = await room.enter(name, stream) { return member }
    }
    return nil
}

/// Passes on what the client says, until it has nothing more to say.
func listen(to stream: TCPStream, as member: Member, in room: Room) async {
    do throws(SocketError) {
        while true {
            let line = text(try await stream.readLine(limit: lineBytesMax))
            await room.tellAll("\(member.name): \(line)")
            // Many lines may have come at once. All writers have a turn before the next, so a full channel is one whose client is slow.
            await Task.yield()
        }
    } catch {
        if case .frameTooLong = error { await room.tellAll("* \(member.name) does not come to the point") }
    }
}

/// Tells the client what there is to hear. It may be as slow as it likes: it holds up this fiber alone.
func tell(_ stream: TCPStream, _ lines: Channel<String>) async {
    do {
        while let line = try await lines.receive() { try await stream.write(line + "\n", timeout: .seconds(60)) }
    } catch {
        // Shown out, gone, or too slow: whoever listens to it is told that it is closed.
        await stream.close()
    }
}

/// A line without what a terminal would obey.
func text(_ line: [UInt8]) -> String {
    String(String.UnicodeScalarView(String(decoding: line, as: UTF8.self).unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }))
}
