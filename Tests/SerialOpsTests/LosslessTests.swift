import LoopCore
import Testing

@testable import SerialOps

/// Bytes stream through a pair while reads are timed out and cancelled at random: every byte arrives once, in order.
@Suite("No byte is lost", .serialized) struct LosslessTests {
    /// How much goes through, and how often a read is ended early. `PORTLOOP_LONG=1`: as much as the issue asks for.
    private static let isLong = environment("PORTLOOP_LONG") != nil
    private static let total = isLong ? 64 << 20 : 2 << 20
    private static let ended = isLong ? 10_000 : 500

    @Test("Timeouts and cancellations around reads") func endedEarly() throws {
        try onLoop { loop in
            let pair = try await SerialPair.virtual(on: loop)
            let writer = loop.spawn(name: "writer") { _ async in
                await result { () async throws(SerialError) in try await send(Self.total, to: pair.device) }
            }
            var reader = Reader(port: pair.port, seed: 42)
            while reader.received < Self.total || reader.endedEarly < Self.ended { try await reader.step(of: Self.total) }
            reader.expect(Self.total)
            _ = try await writer.value.get()
            await pair.port.close()
            await pair.device.close()
        }
    }

    /// A build that is not optimised looks at every invariant after every byte: a hundred microseconds each, and two hours for all.
    @Test("The same with a ring of one byte, for which the system is asked once for each") func oneByte() throws {
        let total = !Self.isLong ? 32 << 10 : environment("PORTLOOP_CAMPAIGN") == nil ? 1 << 20 : Self.total
        try onLoop { loop in
            var settings = SerialSettings()
            settings.bufferBytes = 1
            let pair = try await SerialPair.virtual(on: loop, settings)
            let writer = loop.spawn(name: "writer") { _ async in
                await result { () async throws(SerialError) in try await send(total, to: pair.device, pieces: 500) }
            }
            var reader = Reader(port: pair.port, seed: 43, bytesMax: 1, patientSteps: total / (4 * Self.ended))
            while reader.received < total || reader.endedEarly < Self.ended { try await reader.step(of: total) }
            reader.expect(total)
            #expect(await pair.port.statistics.reads == UInt64(total))
            _ = try await writer.value.get()
            await pair.port.close()
            await pair.device.close()
        }
    }

    @Test("The same with ports that are closed and opened again, each with a read of the system's under way") func reopened() throws {
        try onLoop { loop in
            let master = try PtyMaster()
            // Somebody keeps the terminal open: one that nobody has open forgets what was sent to it.
            let holder = keptOpen(master.other)
            let device = try await SerialPort.open(master, "/dev/ptmx", SerialSettings(), on: loop)
            let writer = loop.spawn(name: "writer") { _ async in
                await result { () async throws(SerialError) in try await send(Self.total, to: device) }
            }
            var shared = SerialSettings()
            shared.isExclusive = false
            var reader = Reader(port: try await SerialPort.open(master.other, shared, on: loop), seed: 44)
            var opened = 1
            while reader.received < Self.total || reader.endedEarly < Self.ended {
                for _ in 0..<8 { try await reader.step(of: Self.total) }
                try await reader.leave()
                reader.port = try await SerialPort.open(master.other, shared, on: loop)
                opened += 1
            }
            reader.expect(Self.total)
            #expect(opened > Self.ended / 8)
            _ = try await writer.value.get()
            await reader.port.close()
            await device.close()
            holder.end()
        }
    }

    @Test("A reader that comes late finds the buffer full and the rest with the driver") func backpressure() throws {
        try onLoop { loop in
            var settings = SerialSettings()
            settings.bufferBytes = 1_000
            let pair = try await SerialPair.virtual(on: loop, settings)
            let total = 200_000
            let writer = loop.spawn(name: "writer") { _ async in
                await result { () async throws(SerialError) in try await send(total, to: pair.device) }
            }
            while await pair.port.bytesWaiting < 1_000 { await Task.yield() }
            try await loop.sleep(for: .milliseconds(5))
            #expect(await pair.port.bytesWaiting == 1_000)
            var reader = Reader(port: pair.port, seed: 7)
            while reader.received < total { reader.check(try await pair.port.read(max: 10_000, timeout: .seconds(10))) }
            reader.expect(total)
            _ = try await writer.value.get()
            await pair.port.close()
            await pair.device.close()
        }
    }
}

/// The byte at each place of the stream: no two stretches of it are alike within a megabyte.
private func byte(at place: Int) -> UInt8 {
    let mixed = UInt64(place / 4) &* 0x9E37_79B9_7F4A_7C15
    return UInt8(truncatingIfNeeded: mixed >> (40 + 8 * UInt64(place % 4)) ^ UInt64(place))
}

/// A piece goes out as fast as it is read, and has a minute for it: where each byte costs a turn, pieces are small.
private func send(_ total: Int, to port: SerialPort, pieces: Int = 5_000) async throws(SerialError) {
    var sent = 0
    while sent < total {
        let end = min(total, sent + pieces)
        try await port.write((sent..<end).map(byte), timeout: .seconds(60))
        sent = end
    }
}

/// Reads in all ways, ends some of the reads early, and checks what comes.
private struct Reader {
    var port: SerialPort
    private var random: SplitMix
    private let bytesMax: UInt64
    /// So many steps are left alone between two that may be ended early.
    private let patientSteps: Int
    private var steps = 0
    private(set) var received = 0
    private(set) var outOfOrder = 0
    private(set) var endedEarly = 0

    init(port: SerialPort, seed: UInt64, bytesMax: UInt64 = 3_000, patientSteps: Int = 0) {
        self.port = port
        self.bytesMax = bytesMax
        self.patientSteps = patientSteps
        random = SplitMix(seed)
    }

    mutating func check(_ bytes: [UInt8]) {
        for value in bytes {
            if value != byte(at: received) { outOfOrder += 1 }
            received += 1
        }
    }

    /// Everything came, once, in order.
    func expect(_ total: Int) {
        #expect(received == total)
        #expect(outOfOrder == 0)
    }

    mutating func step(of total: Int) async throws {
        let count = 1 + Int(random.next() % bytesMax)
        steps += 1
        let isOver = received >= total
        if !isOver, !steps.isMultiple(of: patientSteps + 1) { return check(try await port.read(max: count, timeout: .seconds(120))) }
        switch random.next() % 4 {
        case 0:
            check(try await orNothing { port async throws(SerialError) in try await port.readExactly(count, timeout: .microseconds(200)) })
        case 1: try await cancelled(count)
        case 2 where !isOver: check(try await port.read(max: count, timeout: .seconds(120)))
        default: check(try await orNothing { port async throws(SerialError) in try await port.read(max: count, timeout: .zero) })
        }
    }

    /// Closes the port, and takes what it had by then.
    mutating func leave() async throws {
        let report = await port.close()
        #expect(report.isClean)
        while let rest = try? await port.read() { check(rest) }
        #expect(await port.statistics.possiblyLost == 0)
    }

    private mutating func orNothing(
        _ body: (SerialPort) async throws(SerialError) -> [UInt8]
    ) async throws(SerialError) -> [UInt8] {
        do throws(SerialError) {
            return try await body(port)
        } catch {
            guard case .timedOut = error else { throw error }
            endedEarly += 1
            return []
        }
    }

    /// A read in a task that is cancelled while it waits, or before, or after.
    private mutating func cancelled(_ count: Int) async throws {
        let port = port
        let fiber = port.loop.spawn(name: "cancelled reader") { _ async in
            await result { () async throws(SerialError) in try await port.readExactly(count, timeout: .seconds(1)) }
        }
        for _ in 0..<random.next() % 4 { await Task.yield() }
        fiber.cancel()
        switch await fiber.value {
        case .success(let bytes): check(bytes)
        case .failure(.cancelled), .failure(.timedOut): endedEarly += 1
        case .failure(let error): throw error
        }
    }
}

struct SplitMix: Sendable {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
