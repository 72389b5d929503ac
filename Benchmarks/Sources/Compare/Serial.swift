import Foundation

/// The comparisons of serial clients: the processor time that each needs, against the same devices.
struct SerialComparisons {
    let peers: String
    let ours: String

    var all: [Comparison] {
        [
            comparison("serial, 1-byte round trip, 1 port", ports: 1, ["rtt", "20000"]),
            comparison("serial, 1-byte round trip, 32 ports", ports: 32, ["rtt", "2000"]),
            comparison("serial, 1-byte round trip, 32 ports, time", ports: 32, ["rtt", "2000"], key: "ns_each"),
            comparison("serial, open and close", ports: 1, ["cycle", "2000"]),
            comparison("serial, bytes received", ports: 1, isSource: true, ["sink", "50000000"]),
        ]
    }

    private func comparison(
        _ name: String, ports: Int, isSource: Bool = false, _ arguments: [String], key: String = "cpu_ns_each"
    ) -> Comparison {
        let python = "\(peers)/python/bin/python"
        let script = URL(fileURLWithPath: peers).deletingLastPathComponent().appendingPathComponent("Peers/serial_clients.py").path
        var entrants = [
            entrant("epoll", ["\(peers)/serial"], ports, isSource, arguments, key, isFloor: true),
            entrant("portloop", [ours, "serial"], ports, isSource, arguments, key),
            entrant("asio", ["\(peers)/serial-asio"], ports, isSource, arguments, key),
        ]
        var libraries: [String] = []
        if output(of: [python, "-c", "import serial"]) != nil { libraries.append("pyserial") }
        if output(of: [python, "-c", "import anyserial"]) != nil { libraries += ["anyserial-asyncio", "anyserial-trio"] }
        // A tenth of the rounds: they take as long.
        let fewer = [arguments[0], "\((Int(arguments[1]) ?? 0) / 10)"]
        entrants += libraries.map { entrant($0, [python, script, $0], ports, isSource, fewer, key) }
        return Comparison(name: name, programs: entrants)
    }

    /// A client on processor 0, its devices on processor 1.
    private func entrant(
        _ name: String, _ command: [String], _ ports: Int, _ isSource: Bool, _ arguments: [String], _ key: String, isFloor: Bool = false
    ) -> Measured {
        Measured(name: name, isFloor: isFloor) {
            guard let devices = Devices("\(peers)/serial-peer", ports, isSource) else { return nil }
            defer { devices.end() }
            return output(of: ["taskset", "-c", "0"] + command + arguments + devices.paths).flatMap { figure(key, in: $0) }
        }
    }
}

/// The program that plays the devices, while it runs.
private struct Devices {
    let paths: [String]
    private let process: Process
    private let input = Pipe()

    init?(_ program: String, _ count: Int, _ isSource: Bool) {
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["taskset", "-c", "1", program, "\(count)"] + (isSource ? ["source"] : [])
        let pipe = Pipe()
        process.standardInput = input
        process.standardOutput = pipe
        guard (try? process.run()) != nil else { return nil }
        paths = firstWords(from: pipe)
        if paths.isEmpty { return nil }
    }

    /// It ends with its input.
    func end() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}
