internal import CLoopWin32
internal import LoopCore
internal import LoopSim
internal import LoopWin32

/// Cancels against completions, for real: the kernel decides each race, and every byte is accounted for.
enum Win32RaceCases {
    static var suite: Suite {
        Suite(
            "the Windows port: races",
            on: [
                Win32Case("ten thousand reads of a socket are cancelled while bytes come, and no byte is lost or doubled") {
                    bench throws(Unmet) in
                    let pair = try bench.tcp()
                    try readRaces(bench, pair.0, rounds: 10_000, seed: 1) { Win32.send(pair.1.far.rawValue, $0) }
                },
                Win32Case("ten thousand reads of a pipe are cancelled while bytes come, and no byte is lost or doubled") {
                    bench throws(Unmet) in
                    let pair = try bench.pipe()
                    try readRaces(bench, pair.0, rounds: 10_000, seed: 2) { Win32.write(pair.1.far.rawValue, $0) }
                },
                Win32Case("ten thousand writes to a socket are cancelled while it fills, and each counts what arrives", socketWrites),
                Win32Case("ten thousand writes to a pipe are cancelled while it fills, and each counts what arrives", pipeWrites),
                Win32Case("ten thousand waits for readiness are cancelled while bytes come, and each ends once", pollRaces),
            ])
    }

    /// The first of them, as long as a broken port needs to be caught.
    static var shortReadRace: Win32Case {
        Win32Case("reads of a socket are cancelled while bytes come, and no byte is lost or doubled") { bench throws(Unmet) in
            let pair = try bench.tcp()
            try readRaces(bench, pair.0, rounds: 300, seed: 6) { Win32.send(pair.1.far.rawValue, $0) }
        }
    }

    /// A stream of numbered bytes is fed in small pieces while reads come and go.
    static func readRaces(
        _ bench: Win32Bench, _ handle: AssociatedHandle, rounds: Int, seed: UInt64, feed: ([UInt8]) -> Void
    ) throws(Unmet) {
        var random = SplitMix(seed: seed)
        var (sent, received, aborted, whole) = (0, 0, 0, 0)
        for _ in 0..<rounds {
            var ids: [OperationID] = []
            for _ in 0...random.below(2) { ids.append(try bench.read(handle, capacity: 1 + random.below(4))) }
            var steps = [random.below(3), random.below(3), random.below(3)]
            while let step = steps.popLast() {
                switch step {
                case 0:
                    let bytes = (0...random.below(3)).map { UInt8(truncatingIfNeeded: sent + $0) }
                    feed(bytes)
                    sent += bytes.count
                case 1: for id in ids where bench.phase(id) == .submitted { try bench.cancel(id) }
                default: bench.loop.turn(.poll)
                }
            }
            for id in ids where bench.phase(id) == .submitted { try bench.cancel(id) }
            for id in ids {
                let result = try bench.finish(id, "a race's packet")
                for byte in result.bytes {
                    guard byte == UInt8(truncatingIfNeeded: received) else { throw .failed("byte \(received) of \(sent) is another one") }
                    received += 1
                }
                if result.completion.severity == .aborted { aborted += 1 } else { whole += 1 }
            }
        }
        // What no read took is still there.
        while received < sent {
            for byte in try bench.finish(try bench.read(handle), "what is left").bytes {
                guard byte == UInt8(truncatingIfNeeded: received) else { throw .failed("byte \(received) is another one at the end") }
                received += 1
            }
        }
        bench.check.expectEqual(received, sent, "bytes received")
        bench.check.expect(aborted > rounds / 20 && whole > rounds / 20, "both ends of the race are seen: \(aborted) and \(whole)")
        bench.check.expectEqual(bench.counts.stalePackets, 0, "packets nobody owed")
    }

    private static func socketWrites(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.tcp()
        try writeRaces(bench, handle, seed: 3, isExact: true) { Win32.receive(ends.far.rawValue, max: $0) ?? [] }
    }

    /// Read from only while no write waits: of a cancelled write that was read from, Wine counts nothing. See the case about that.
    private static func pipeWrites(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.pipe()
        try writeRaces(bench, handle, seed: 4, isExact: false) { Win32.drainPipe(ends.far.rawValue, max: $0) }
    }

    private static func writeRaces(
        _ bench: Win32Bench, _ handle: AssociatedHandle, seed: UInt64, isExact: Bool, drain: (Int) -> [UInt8]
    ) throws(Unmet) {
        var random = SplitMix(seed: seed)
        var (written, arrived, aborted, whole) = (0, 0, 0, 0)
        for round in 0..<10_000 {
            let count = 1 + random.below(round % 100 == 0 ? 300_000 : 3_000)
            let id = try bench.write(handle, [UInt8](repeating: 1, count: count))
            if isExact, random.below(3) == 0 { arrived += drain(1 + random.below(5_000)).count }
            if random.below(2) == 0 { bench.loop.turn(.poll) }
            if bench.phase(id) == .submitted { try bench.cancel(id) }
            let completion = try bench.finish(id, "a race's packet").completion
            written += completion.count
            if completion.severity == .aborted { aborted += 1 } else { whole += 1 }
            bench.check.expect(completion.severity == .aborted || completion.count == count, "whole, or aborted")
            if random.below(3) == 0 { arrived += drain(1 + random.below(10_000)).count }
        }
        try bench.spin(until: "the bytes that were counted") {
            arrived += drain(1 << 16).count
            return arrived >= written
        }
        bench.settle()
        arrived += drain(1 << 16).count
        bench.check.expectEqual(arrived, written, "bytes that arrived against those counted")
        bench.check.expect(aborted > 100 && whole > 100, "both ends of the race are seen: \(aborted) and \(whole)")
    }

    private static func pollRaces(_ bench: Win32Bench) throws(Unmet) {
        let (handle, ends) = try bench.tcp()
        var random = SplitMix(seed: 5)
        var (ready, aborted) = (0, 0)
        for round in 0..<10_000 {
            let interest: Readiness = random.below(4) == 0 ? [.readable, .priority] : .readable
            let id = try bench.poll(handle, interest)
            if random.below(2) == 0 { bench.loop.turn(.poll) }
            let isFed = random.below(2) == 0
            if isFed { Win32.send(ends.far.rawValue, [UInt8(truncatingIfNeeded: round)]) }
            if random.below(2) == 0 { bench.loop.turn(.poll) }
            if bench.phase(id) == .submitted { try bench.cancel(id) }
            if try bench.finish(id).completion.severity == .aborted { aborted += 1 } else { ready += 1 }
            if isFed {
                let byte = try bench.finish(try bench.read(handle, capacity: 1)).bytes
                bench.check.expect(byte == [UInt8(truncatingIfNeeded: round)], "the byte of the round")
            }
        }
        bench.check.expect(ready > 500 && aborted > 500, "both ends of the race are seen: \(ready) and \(aborted)")
        bench.check.expectEqual(bench.counts.stalePackets, 0, "packets nobody owed")
    }
}

/// Numbers from a seed.
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((word ^ (word >> 31)) % UInt64(bound))
    }
}
