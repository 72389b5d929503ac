import Foundation

/// Echo servers as their users write them: what a request costs the server, and how long it takes, by its size and by how many connections
/// ask at a time.
struct SocketComparisons {
    let programs: Programs

    var all: [Comparison] {
        [(64, "64 B"), (4_096, "4 KiB"), (65_536, "64 KiB")].flatMap { bytes, size in
            [1, 64, 512, 5_000].map { comparison(bytes: bytes, size, connections: $0) }
        }
    }

    private func comparison(bytes: Int, _ size: String, connections: Int) -> Comparison {
        func server(_ name: String, _ command: [String], isFloor: Bool = false) -> Comparison.Entrant {
            let latencies = Latencies()
            return Comparison.Entrant(name: name, isFloor: isFloor, latencies: latencies) {
                guard let line = programs.loadEcho(command, connections, bytes: bytes) else { return nil }
                latencies.add(line)
                return figure("server_cpu_ns_per_request", in: line)
            }
        }
        let (peers, python) = (programs.peers, "\(programs.peers)/python/bin/python")
        // Short requests are read into 4 KiB, which stay in the nearest cache; for the others all servers have buffers as large as ours.
        let buffer = bytes < 4_096 ? "4096" : "65536"
        var entrants = [
            server("epoll, level", ["\(peers)/echo-level", buffer], isFloor: true),
            server("epoll, edge", ["\(peers)/echo-edge", buffer], isFloor: true),
            server("portloop, sockets", [programs.ours, "echo-sockets"]),
            server("libuv", ["\(peers)/echo-uv", buffer]),
            server("asio, coroutines", ["\(peers)/echo-asio-coro", buffer]),
        ]
        if output(of: [python, "-c", "import uvloop"]) != nil {
            entrants.append(server("asyncio, uvloop", [python, "\(programs.peers)/../Peers/echo_asyncio.py"]))
        }
        return Comparison(name: "sockets \(size), \(connections) connections, server CPU per request", entrants: entrants)
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
