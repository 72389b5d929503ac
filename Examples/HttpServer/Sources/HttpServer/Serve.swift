import Portloop
import SocketOps

/// Takes connections until it is cancelled.
func serve(_ port: UInt16, on loop: isolated EventLoop) async throws(SocketError) {
    let listener = try await TCPListener.listen("127.0.0.1", port, ListenOptions(connectionsMax: 1_000), on: loop)
    say("listening on port \(listener.port)")
    while true {
        let stream = try await listener.accept()
        loop.spawn(name: "connection") { _ async in
            // The client has ended, or is gone, or took too long: there is nobody to be told.
            do throws(SocketError) { try await answer(stream) } catch {}
            // What it still says is heard out, so that it reads its answer and not a reset.
            await stream.close(within: .seconds(1))
        }
    }
}
