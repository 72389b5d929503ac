import Portloop
import SocketOps

/// Who is there, and what is said to them. It lives on the loop, so nothing changes between two of its lines.
actor Room: OnLoop {
    nonisolated let loop: EventLoop
    private var members: [String: Member] = [:]

    init(on loop: EventLoop) { self.loop = loop }

    /// Lets somebody in, unless another has the name.
    func enter(_ name: String, _ stream: TCPStream) -> Member? {
        guard members[name] == nil else { return nil }
        let lines = Channel<String>(on: loop, capacity: linesWaitingMax)
        let writer = loop.spawn(name: "to \(name)") { _ async in await tell(stream, lines) }
        let member = Member(name: name, lines: lines, writer: writer)
        members[name] = member
        tellAll("* \(name) has come")
        return member
    }

    /// What was said before is still sent. Nothing for one who has left already, whose name another may have.
    func leave(_ member: Member) {
        guard members[member.name]?.lines === member.lines else { return }
        members[member.name] = nil
        member.lines.finish()
        tellAll("* \(member.name) has left")
    }

    /// Tells everybody, and waits for nobody: who has not heard as many lines as there is room for is shown out.
    func tellAll(_ line: String) {
        for member in members.values where member.lines.trySend(line) == .full {
            member.lines.close()
            member.writer.cancel()
            leave(member)
        }
    }
}

/// Somebody who is there.
struct Member: Sendable {
    let name: String
    /// What there is to hear.
    let lines: Channel<String>
    /// Tells it to the client.
    let writer: Fiber<Void, Never>
}
