import Foundation

/// The comparisons of serial clients: the processor time that each needs, against the same devices.
struct SerialComparisons {
    let peers: String
    let ours: String

    var all: [Comparison] {
        [
            roundTrips("serial, 1-byte round trip, 1 port", ports: 1, "cpu_ns_each"),
            roundTrips("serial, 1-byte round trip, 32 ports", ports: 32, "cpu_ns_each"),
            roundTrips("serial, 1-byte round trip, 32 ports, time", ports: 32, "ns_each"),
            comparison("serial, open and close", ["cycle", "2000"]),
            comparison("serial, bytes received", ["sink", "50000000"], isSource: true),
        ]
    }

    private struct Client {
        let name: String
        let command: [String]
        var isFloor = false
        /// Of what the others do it does a tenth: it takes as long.
        var isSlow = false
    }

    private var clients: [Client] {
        let python = "\(peers)/python/bin/python"
        let script = URL(fileURLWithPath: peers).deletingLastPathComponent().appendingPathComponent("Peers/serial_clients.py").path
        var libraries: [String] = []
        if output(of: [python, "-c", "import serial"]) != nil { libraries.append("pyserial") }
        if output(of: [python, "-c", "import anyserial"]) != nil { libraries += ["anyserial-asyncio", "anyserial-trio"] }
        return [
            Client(name: "epoll", command: ["\(peers)/serial"], isFloor: true), Client(name: "portloop", command: [ours, "serial"]),
            Client(name: "asio", command: ["\(peers)/serial-asio"]),
        ] + libraries.map { Client(name: $0, command: [python, script, $0], isSlow: true) }
    }

    /// Clients that run one behind the other, to the end of what they do.
    private func comparison(_ name: String, _ arguments: [String], isSource: Bool = false) -> Comparison {
        Comparison(
            name: name,
            programs: clients.map { client in
                let count = (Int(arguments[1]) ?? 0) / (client.isSlow ? 10 : 1)
                return Measured(name: client.name, isFloor: client.isFloor) {
                    guard let devices = devices(["1"] + (isSource ? ["source"] : [])) else { return nil }
                    defer { devices.end() }
                    let command = onProcessor(0, client.command + [arguments[0], "\(count)"] + devices.nextWords())
                    return output(of: command).flatMap { figure("cpu_ns_each", in: $0) }
                }
            })
    }

    /// Clients that run side by side, and are answered in turns.
    private func roundTrips(_ name: String, ports: Int, _ key: String) -> Comparison {
        let clients = clients
        return Comparison(name: name, entrants: clients.map { Comparison.Entrant(name: $0.name, isFloor: $0.isFloor) }) { places in
            let turns = ["\(ports)", "turns", "\(SerialComparisons.turns)", "\(SerialComparisons.turnMilliseconds)", "\(places.count)"]
            guard let devices = devices(turns) else { return nil }
            var running: [RunningProgram] = []
            for place in places {
                // They are ended long before.
                let endless = ["rtt", "\(1 << 40)"] + devices.nextWords()
                guard let client = RunningProgram(onProcessor(0, clients[place].command + endless)) else { break }
                running.append(client)
            }
            devices.say(running.map { "\($0.number)" }.joined(separator: " "))
            let figures = running.compactMap { _ in figure(key, in: devices.nextWords().joined(separator: " ")) }
            for client in running { client.stop() }
            devices.end()
            return figures
        }
    }

    /// The program that plays the devices: the clients are on processor 0.
    private func devices(_ arguments: [String]) -> RunningProgram? {
        RunningProgram(onProcessor(1, ["\(peers)/serial-peer"] + arguments))
    }

    /// Where a round has placed the clients in memory moves their figures: many short rounds say more than few long ones.
    private static let turns = 10
    private static let turnMilliseconds = 20
}
