// example: EchoServer
import Portloop
import SocketOps

/// Takes connections until it is cancelled. Each has a fiber of its own.
func serve(_ port: UInt16, on loop: isolated EventLoop) async throws(SocketError) {
    let listener = try await TCPListener.listen("127.0.0.1", port, on: loop)
    say("listening on port \(listener.port)")
    while true {
        let stream = try await listener.accept()
        loop.spawn(name: "echo") { _ async in await echo(stream) }
    }
}

/// Sends back what comes. A client that has said its last word still hears the end of what it said.
func echo(_ stream: TCPStream) async {
    do throws(CopyError<SocketError, SocketError>) {
        try await stream.copy(to: stream)
    } catch {
        switch error {
        // The program ends.
        case .reading(.cancelled), .writing(.cancelled): break
        case .reading(let error), .writing(let error): say("a connection broke: \(error)")
        }
    }
    await stream.close()
}
