import Foundation

/// Echo servers as their users write them: what a request costs the server, and how long it takes, by its size and by how many connections
/// ask at a time.
struct SocketComparisons {
    let programs: Programs

    var all: [Comparison] {
        [(64, "64 B"), (4_096, "4 KiB"), (65_536, "64 KiB")].flatMap { bytes, size in
            [1, 64, 512, 5_000].map { comparison(bytes: bytes, size, connections: $0) }
        } + [1, 64, 512].map { comparison(bytes: 64, "64 B", connections: $0, .apart) }
    }

    private func comparison(bytes: Int, _ size: String, connections: Int, _ place: ClientPlace = .beside) -> Comparison {
        let (peers, python) = (programs.peers, "\(programs.peers)/python/bin/python")
        // Short requests are read into 4 KiB, which stay in the nearest cache; for the others all servers have buffers as large as ours.
        let buffer = bytes < 4_096 ? "4096" : "65536"
        var servers = [
            EchoServer("epoll, level", ["\(peers)/echo-level", buffer], isFloor: true),
            EchoServer("epoll, edge", ["\(peers)/echo-edge", buffer], isFloor: true),
            EchoServer("portloop, sockets", [programs.ours, "echo-sockets"]),
            EchoServer("libuv", ["\(peers)/echo-uv", buffer]),
            EchoServer("asio, coroutines", ["\(peers)/echo-asio-coro", buffer]),
        ]
        if output(of: [python, "-c", "import uvloop"]) != nil {
            servers.append(EchoServer("asyncio, uvloop", [python, "\(programs.peers)/../Peers/echo_asyncio.py"]))
        }
        return EchoComparison(programs: programs, bytes: bytes, connections: connections, client: place).comparison(
            "\(place.prefix)sockets \(size), \(connections) connections, server CPU per request", servers, telling: true)
    }
}

/// How long requests took, over the rounds.
final class Latencies {
    private var found: [[Double]] = []

    func add(_ line: String) { found.append(["p50_ns", "p99_ns", "p999_ns"].compactMap { figure($0, in: line) }) }

    /// The medians of the rounds, in microseconds.
    var text: String {
        (0..<3).map { place in
            let sorted = found.compactMap { $0.count > place ? $0[place] : nil }.sorted()
            return sorted.isEmpty ? "?" : String(format: "%.0f", sorted[sorted.count / 2] / 1_000)
        }.joined(separator: " / ")
    }
}
