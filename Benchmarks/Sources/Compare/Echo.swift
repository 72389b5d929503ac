import Foundation

/// An echo server of a comparison.
struct EchoServer {
    let name: String
    let command: [String]
    let isFloor: Bool

    init(_ name: String, _ command: [String], isFloor: Bool = false) {
        self.name = name
        self.command = command
        self.isFloor = isFloor
    }
}

/// Where the load client runs; the servers are on processor 0.
enum ClientPlace: Int {
    /// With the servers: one that is done sooner sleeps more often, and one that is slower is preempted by its client.
    case beside = 0
    /// On a processor of its own. With few connections each request is a wake across processors, which in a virtual machine takes longer
    /// than the request, and varies.
    case apart = 1

    var prefix: String { self == .apart ? "apart, " : "" }
}

/// What a request costs several echo servers that run side by side, and take turns of some milliseconds at one load client.
struct EchoComparison {
    let programs: Programs
    let bytes: Int
    let connections: Int
    var client = ClientPlace.beside

    /// Turns of each server in a round. Where a round has placed the servers in memory moves its figures by a hundredth or two, so many
    /// short rounds say more than few long ones.
    private var turns: Int { 10 }
    /// Long enough for each of the connections to be served some times.
    private var turnMilliseconds: Int { max(20, connections / 20) }
    /// As many as the load client has descriptors for: a process has 20,000 on some machines.
    private var serversMax: Int { max(1, 15_000 / connections) }

    func comparison(_ name: String, _ servers: [EchoServer], telling latencies: Bool = false) -> Comparison {
        let entrants = servers.map {
            Comparison.Entrant(name: $0.name, isFloor: $0.isFloor, latencies: latencies ? Latencies() : nil)
        }
        return Comparison(name: name, entrants: entrants) { places in
            var lines: [String] = []
            for first in stride(from: 0, to: places.count, by: serversMax) {
                guard let found = measure(places[first...].prefix(serversMax).map { servers[$0].command }) else { return nil }
                lines += found
            }
            for (place, line) in zip(places, lines) { entrants[place].latencies?.add(line) }
            return lines.compactMap { figure("server_cpu_ns_per_request", in: $0) }
        }
    }

    /// What the load client says of each of the servers, which are started for it.
    private func measure(_ commands: [[String]]) -> [String]? {
        var running: [RunningServer] = []
        defer { for server in running { server.stop() } }
        for command in commands {
            guard let server = RunningServer(command) else {
                print("\(command.joined(separator: " ")) does not start")
                return nil
            }
            running.append(server)
        }
        let load = ["\(programs.peers)/load", "\(connections)", "\(bytes)", "\(turns)", "\(turnMilliseconds)"]
        return output(of: onProcessor(client.rawValue, load + running.map(\.address))).map { $0.split(separator: "\n").map(String.init) }
    }
}

/// A server that has said where it listens.
private struct RunningServer {
    private let program: RunningProgram
    private let port: String

    init?(_ command: [String]) {
        guard let program = RunningProgram(onProcessor(0, command)) else { return nil }
        self.program = program
        guard let word = program.nextWords().last else {
            program.stop()
            return nil
        }
        port = word
    }

    /// As the load client names a server.
    var address: String { "\(port):\(program.number)" }

    func stop() { program.stop() }
}
