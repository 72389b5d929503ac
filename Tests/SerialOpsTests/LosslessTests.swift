import LoopCore
import Testing

@testable import SerialOps

/// Bytes stream through a pair while reads are timed out and cancelled at random: every byte arrives once, in order.
@Suite("No byte is lost", .serialized) struct LosslessTests {
    /// How much goes through, and how often a read is ended early. `PORTLOOP_LONG=1`: as much as the issue asks for.
    private static let isLong = environment("PORTLOOP_LONG") != nil

    @Test("Timeouts and cancellations around reads", arguments: [64 << 10, 1])
    func endedEarly(bufferBytes: Int) throws {
        let isTiny = bufferBytes == 1
        let total = LosslessTests.isLong ? (isTiny ? 4 << 20 : 64 << 20) : (isTiny ? 16 << 10 : 2 << 20)
        let ended = LosslessTests.isLong ? 10_000 : 500
        try onLoop { loop in
            var settings = SerialSettings()
            settings.bufferBytes = bufferBytes
            let pair = try await SerialPair.virtual(on: loop, settings)
            let writer = loop.spawn(name: "writer") { _ async in
                await result { () async throws(SerialError) in try await send(total, to: pair.device) }
            }
            var reader = Reader(port: pair.port, seed: UInt64(bufferBytes) &+ 42)
            while reader.received < total || reader.endedEarly < ended {
                try await reader.step(isOver: reader.received >= total)
                if reader.received >= total, reader.endedEarly >= ended { break }
            }
            #expect(reader.received == total)
            #expect(reader.outOfOrder == 0)
            #expect(reader.endedEarly >= ended)
            _ = try await writer.value.get()
            await pair.port.close()
            await pair.device.close()
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
            #expect(reader.outOfOrder == 0)
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

private func send(_ total: Int, to port: SerialPort) async throws(SerialError) {
    var sent = 0
    while sent < total {
        let end = min(total, sent + 5_000)
        try await port.write((sent..<end).map(byte), timeout: .seconds(60))
        sent = end
    }
}

/// Reads in all ways, ends some of the reads early, and checks what comes.
private struct Reader {
    let port: SerialPort
    private var random: SplitMix
    private(set) var received = 0
    private(set) var outOfOrder = 0
    private(set) var endedEarly = 0

    init(port: SerialPort, seed: UInt64) {
        self.port = port
        random = SplitMix(seed)
    }

    mutating func check(_ bytes: [UInt8]) {
        for value in bytes {
            if value != byte(at: received) { outOfOrder += 1 }
            received += 1
        }
    }

    mutating func step(isOver: Bool) async throws {
        let count = 1 + Int(random.next() % 3_000)
        switch random.next() % 4 {
        case 0:
            check(try await orNothing { port async throws(SerialError) in try await port.readExactly(count, timeout: .microseconds(200)) })
        case 1: try await cancelled(count)
        case 2 where !isOver: check(try await port.read(max: count, timeout: .seconds(30)))
        default: check(try await orNothing { port async throws(SerialError) in try await port.read(max: count, timeout: .zero) })
        }
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
