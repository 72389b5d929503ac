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
            comparison("serial, open and close", "cycle", 2_000),
            comparison("serial, bytes received", "sink", 50_000_000, isSource: true),
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
    private func comparison(_ name: String, _ verb: String, _ count: Int, isSource: Bool = false) -> Comparison {
        Comparison(
            name: name,
            programs: clients.map { client in
                Measured(name: client.name, isFloor: client.isFloor) {
                    guard let devices = devices(["1"] + (isSource ? ["source"] : [])) else { return nil }
                    defer { devices.end() }
                    let command = onProcessor(0, client.command + [verb, "\(client.isSlow ? count / 10 : count)"] + devices.nextWords())
                    return output(of: command).flatMap { figure("cpu_ns_each", in: $0) }
                }
            })
    }

    /// Clients that run side by side, and are answered in turns: those of Python's libraries by themselves, because whoever comes behind
    /// one of them finds processors that have slept.
    private func roundTrips(_ name: String, ports: Int, _ key: String) -> Comparison {
        let clients = clients
        return Comparison(name: name, entrants: clients.map { Comparison.Entrant(name: $0.name, isFloor: $0.isFloor) }) { places in
            var figures: [Int: Double] = [:]
            for group in [places.filter { !clients[$0].isSlow }, places.filter { clients[$0].isSlow }] where !group.isEmpty {
                guard let found = takeTurns(group.map { clients[$0] }, ports, key) else { return nil }
                figures.merge(zip(group, found)) { figure, _ in figure }
            }
            return places.compactMap { figures[$0] }
        }
    }

    private func takeTurns(_ clients: [Client], _ ports: Int, _ key: String) -> [Double]? {
        let (turns, milliseconds) = (SerialComparisons.turns, SerialComparisons.turnMilliseconds)
        guard let devices = devices(["\(ports)", "turns", "\(turns)", "\(milliseconds)", "\(clients.count)"]) else { return nil }
        defer { devices.end() }
        // Ended long before they are done.
        let running = clients.compactMap { client in
            RunningProgram(onProcessor(0, client.command + ["rtt", "\(1 << 40)"] + devices.nextWords()))
        }
        defer { for client in running { client.stop() } }
        guard running.count == clients.count else { return nil }
        devices.say(running.map { "\($0.number)" }.joined(separator: " "))
        return running.compactMap { _ in figure(key, in: devices.nextWords().joined(separator: " ")) }
    }

    /// The program that plays the devices: the clients are on processor 0.
    private func devices(_ arguments: [String]) -> RunningProgram? {
        RunningProgram(onProcessor(1, ["\(peers)/serial-peer"] + arguments))
    }

    /// Where a round has placed the clients in memory moves their figures: many short rounds say more than few long ones.
    private static let turns = 10
    private static let turnMilliseconds = 20
}
