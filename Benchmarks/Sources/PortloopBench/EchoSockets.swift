import CBench
import Portloop
import SocketOps

/// The TCP echo server as a user of SocketOps writes it: a fiber for each connection, which has no buffer.
func runEchoSockets() {
    bench_die_with_parent()
    let loop = makeLoop()
    loop.run { loop async in
        do throws(SocketError) {
            let listener = try TCPListener.listen(at: SocketAddress(.loopback4, port: 0), on: loop)
            announce(listener.port)
            while true {
                let stream = try await listener.accept()
                loop.spawn { _ async in await echo(stream) }
            }
        } catch {
            trap("the listener failed: \(error)")
        }
    }
}

/// Until the other end is done, or gone.
private func echo(_ stream: TCPStream) async {
    var rest: [UInt8] = []
    do throws(SocketError) {
        while true {
            let isOver = try await stream.read { bytes, taken in
                let sent = (try? stream.writeNow(bytes)) ?? 0
                if sent < bytes.byteCount { rest = bytes.copied(sent..<bytes.byteCount) }
                taken = bytes.byteCount
                return bytes.isEmpty
            }
            if isOver { break }
            if !rest.isEmpty {
                try await stream.write(rest)
                rest = []
            }
        }
    } catch {}  // Reset, or shut down: the connection ends all the same.
    await stream.close()
}
