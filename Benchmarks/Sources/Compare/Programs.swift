import Foundation

/// Where the programs are, and which of their figures are compared.
struct Programs {
    let peers: String
    let ours: String

    var comparisons: [Comparison] {
        [ClientPlace.beside, .apart].flatMap { place in [1, 64, 512].map { echo(connections: $0, place) } } + [
            Comparison(
                name: "seam, ns per operation",
                programs: [
                    line("C slab and ring", ["\(peers)/seam", "5000000", "64"], "ns_per_operation", isFloor: true),
                    line("portloop", [ours, "seam", "5000000", "64"], "ns_per_operation"),
                ]),
            timers("insert", ours: "insert_ns", uv: "insert_ns", asio: "insert_ns"),
            timers("cancel", ours: "cancel_ns", uv: "cancel_ns", asio: "cancel_total_ns"),
            timers("fire", ours: "fire_ns", uv: "fire_ns", asio: "fire_ns"),
            Comparison(
                name: "wake round trip, both threads on one processor",
                programs: [
                    line("eventfd", ["\(peers)/wake", "100000", "0", "0"], "ns_per_round_trip", isFloor: true, pinned: false),
                    line("portloop", [ours, "wake", "100000", "0", "0"], "ns_per_round_trip", pinned: false),
                ]),
            Comparison(
                name: "post from the loop's own thread",
                programs: [
                    line("asio", ["\(peers)/post-asio"], "post_ns", isFloor: true),
                    line("portloop", [ours, "post", "5000000"], "post_ns"),
                ]),
            tasks("spawn and await"), tasks("call from actor to actor"), tasks("Task.yield"),
            sleepers("processor time", "cpu_ns"), sleepers("bytes each", "bytes_each"),
        ] + SerialComparisons(peers: peers, ours: ours).all + SocketComparisons(programs: self).all
    }

    /// A step of a task, with each executor in a process of its own: beside the threads of the default executor the runtime's locks cost
    /// more, on whatever executor.
    private func tasks(_ step: String) -> Comparison {
        Comparison(
            name: "tasks, \(step)",
            programs: [
                line("default executor", [ours, "task", step, "default"], "ns_per_step", isFloor: true, pinned: false),
                line("portloop", [ours, "task", step, "loop"], "ns_per_step", pinned: false),
                line("portloop, TakeOver", [ours, "task", step, "take-over"], "ns_per_step", pinned: false),
                line("bare executor", [ours, "task", step, "bare"], "ns_per_step", pinned: false),
            ])
    }

    /// A hundred thousand tasks that sleep a second: on the loop, and on the default executor.
    private func sleepers(_ what: String, _ key: String) -> Comparison {
        Comparison(
            name: "100,000 sleepers, \(what)",
            programs: [
                line("default executor", [ours, "sleepers", "100000", "default"], key, isFloor: true, pinned: false),
                line("portloop", [ours, "sleepers", "100000"], key, pinned: false),
            ])
    }

    private func timers(_ what: String, ours key: String, uv: String, asio: String) -> Comparison {
        Comparison(
            name: "timers, 1 M, \(what)",
            programs: [
                line("libuv", ["\(peers)/timers-uv"], uv, isFloor: true),
                line("asio", ["\(peers)/timers-asio"], asio, isFloor: true),
                line("portloop", [ours, "timers"], key),
            ])
    }

    /// A program that prints its figure and ends, on processor 0.
    private func line(_ name: String, _ command: [String], _ key: String, isFloor: Bool = false, pinned: Bool = true) -> Measured {
        Measured(name: name, isFloor: isFloor) {
            output(of: pinned ? onProcessor(0, command) : command).flatMap { figure(key, in: $0) }
        }
    }

    /// Echo servers of short requests, in callbacks and in fibers.
    private func echo(connections: Int, _ place: ClientPlace) -> Comparison {
        EchoComparison(programs: self, bytes: 64, connections: connections, client: place).comparison(
            "\(place.prefix)echo 64 B, \(connections) connections, server CPU per request",
            [
                EchoServer("epoll, level", ["\(peers)/echo-level"], isFloor: true),
                EchoServer("epoll, edge", ["\(peers)/echo-edge"], isFloor: true),
                EchoServer("portloop", [ours, "echo"]),
                EchoServer("portloop, fibers", [ours, "echo-tasks"]),
                EchoServer("fibers, TakeOver", [ours, "echo-tasks", "take-over"]),
                EchoServer("libuv", ["\(peers)/echo-uv"]),
                EchoServer("asio", ["\(peers)/echo-asio"]),
                EchoServer("asio, coroutines", ["\(peers)/echo-asio-coro"]),
            ])
    }
}

/// What a command prints; nil if it fails.
func output(of command: [String]) -> String? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    let pipe = Pipe()
    process.standardOutput = pipe
    guard (try? process.run()) != nil else { return nil }
    let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? String(decoding: bytes, as: UTF8.self) : nil
}

/// The command, on one processor.
func onProcessor(_ number: Int, _ command: [String]) -> [String] { ["taskset", "-c", "\(number)"] + command }

/// A program that runs beside us, and what it prints, line by line.
final class RunningProgram {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var printed = ""

    /// Nil where it does not start.
    init?(_ command: [String]) {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.standardInput = input
        process.standardOutput = output
        guard (try? process.run()) != nil else { return nil }
    }

    var number: Int32 { process.processIdentifier }

    /// The words of its next line; none if it ends before.
    func nextWords() -> [String] {
        while true {
            if let end = printed.firstIndex(of: "\n") {
                defer { printed.removeSubrange(...end) }
                return printed[..<end].split(whereSeparator: \.isWhitespace).map(String.init)
            }
            let bytes = output.fileHandleForReading.availableData
            if bytes.isEmpty { return [] }
            printed += String(decoding: bytes, as: UTF8.self)
        }
    }

    func say(_ line: String) { input.fileHandleForWriting.write(Data("\(line)\n".utf8)) }

    /// Ends one that ends with its input.
    func end() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// Ends any.
    func stop() {
        process.terminate()
        process.waitUntilExit()
    }
}

/// The value of `key=value` in a line.
func figure(_ key: String, in line: String) -> Double? {
    for word in line.split(whereSeparator: \.isWhitespace) where word.hasPrefix("\(key)=") { return Double(word.dropFirst(key.count + 1)) }
    return nil
}
