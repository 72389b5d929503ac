import LoopCore
import LoopSim
import Synchronization
import Testing

@testable import SerialOps

@Suite("What a port does beside reading and writing") struct PortFeatureTests {
    @Test("Frames, bytes and lines come as sequences, and nothing is lost between them") func sequences() throws {
        try onLoop { loop in
            let pair = try await SerialPair.virtual(on: loop)
            try await pair.device.write(SlipSplitter.encoded([1, 0xC0, 2]) + SlipSplitter.encoded([3]) + Array("one\ntwo\nrest".utf8))
            let slip = pair.port.frames(by: SlipSplitter(), timeout: .seconds(120))
            #expect(try await slip.next() == [1, 0xC0, 2])
            #expect(try await slip.next() == [3])
            #expect(await slip.bytesSkipped == 2)
            var lines: [[UInt8]] = []
            for try await line in pair.port.lines(limit: 256, timeout: .seconds(120)).all {
                lines.append(line)
                if lines.count == 2 { break }
            }
            #expect(lines == [Array("one".utf8), Array("two".utf8)])
            var rest: [UInt8] = []
            for try await byte in pair.port.bytes {
                rest.append(byte)
                if rest.count == 2 { break }
            }
            #expect(try await pair.port.read(timeout: .seconds(120)) == Array("st".utf8))
            let end = loop.spawn { _ async in await result { () async throws(SerialError) in try await slip.next() } }
            try await loop.sleep(for: .milliseconds(1))
            await pair.port.close()
            #expect(await end.value == .success(nil))
            await pair.device.close()
        }
    }

    @Test("A frame that is longer than the buffer comes whole") func longFrame() throws {
        try onLoop { loop in
            var settings = SerialSettings()
            settings.bufferBytes = 100
            let pair = try await SerialPair.virtual(on: loop, settings)
            let writer = loop.spawn { _ async in
                await result { () async throws(SerialError) in try await pair.device.write([UInt8](repeating: 7, count: 20_000) + [0x0A]) }
            }
            #expect(try await pair.port.readLine(timeout: .seconds(120)).count == 20_000)
            #expect(await writer.value.failure == nil)
            await pair.port.close()
            await pair.device.close()
        }
    }

    @Test("A limit on a line is kept, and its bytes are still there") func limit() throws {
        try onLoop { loop in
            let pair = try await SerialPair.virtual(on: loop)
            try await pair.device.write("0123456789\n")
            await #expect(throws: SerialError.frameTooLong(limit: 4)) { try await pair.port.readLine(limit: 4, timeout: .seconds(120)) }
            #expect(try await pair.port.readLine(timeout: .seconds(120)) == Array("0123456789".utf8))
            await pair.port.close()
            await pair.device.close()
        }
    }

    @Test("Silence between bytes ends a read that waits for more") func interByte() throws {
        try onLoop { loop in
            let pair = try await SerialPair.virtual(on: loop)
            try await pair.device.write([1, 2])
            await #expect(throws: SerialError.timedOut(.read, moved: 2)) {
                try await pair.port.readExactly(3, timeout: .seconds(60), interByte: .milliseconds(5))
            }
            #expect(try await pair.port.readExactly(2) == [1, 2])
            await pair.port.close()
            await pair.device.close()
        }
    }

    @Test("A write that finds no room times out with what had left, and goes on from there") func partialWrite() throws {
        let pty = try Pty()
        try onLoop { loop in
            let port = try await SerialPort.open(pty.path, on: loop)
            let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let write = await result { () async throws(SerialError) in try await port.write(bytes, timeout: .milliseconds(20)) }
            guard case .timedOut(.write, moved: let moved) = write.failure else { return #expect(Bool(false), "\(write)") }
            #expect(moved > 0 && moved < bytes.count)
            let rest = loop.spawn { _ async in
                await result { () async throws(SerialError) in try await port.write(Array(bytes[moved...]), timeout: .seconds(120)) }
            }
            var received: [UInt8] = []
            while received.count < bytes.count {
                received += pty.received()
                try await loop.sleep(for: .microseconds(100))
            }
            #expect(received == bytes)
            #expect(await rest.value.failure == nil)
            await port.close()
        }
    }

    @Test("A watchdog lets a slow talker go on, ends silence, and says what it saw") func watchdog() throws {
        let simulation = Simulation()
        try simulation.run { loop in
            let (near, far) = simulation.port.makeStreamPair()
            let port = try await SerialPort.open(SimulatedDevice(simulation.port, near), "sim", SerialSettings(), on: loop)
            for byte: UInt8 in 1...20 {
                simulation.port.after(UInt64(byte) * 40_000_000) { _ = simulation.port.feed(far, [byte]) }
            }
            let error = await result { () async throws(SerialError) in
                try await port.withWatchdog(total: .seconds(60), inactivity: .milliseconds(50)) { () async throws(SerialError) in
                    _ = try await port.readExactly(20)
                    _ = try await port.readExactly(1)
                }
            }.failure
            guard case .watchdog(let report) = error else { return #expect(Bool(false), "\(String(describing: error))") }
            #expect(report.limit == .inactivity && report.pending == .read && report.received == 20 && report.sent == 0)
            #expect("\(report)".contains("nothing moved for 50 ms in read"))
            let total = await result { () async throws(SerialError) in
                try await port.withWatchdog(total: .milliseconds(10)) { () async throws(SerialError) in _ = try await port.read() }
            }.failure
            guard case .watchdog(let late) = total else { return #expect(Bool(false), "\(String(describing: total))") }
            #expect(late.limit == .total)
            await port.close()
        }
    }

    @Test("A tap sees every byte both ways, and the hex dump shows them") func tap() throws {
        try onLoop { loop in
            let pair = try await SerialPair.virtual(on: loop)
            let log = Log()
            await pair.port.setTap(SerialHexDump.tap { log.add($0) })
            try await pair.port.write("AT\r")
            #expect(try await pair.device.readExactly(3, timeout: .seconds(120)) == Array("AT\r".utf8))
            try await pair.device.write("OK\r\n")
            _ = try await pair.port.readLine(timeout: .seconds(120))
            #expect(log.lines.count == 2)
            #expect(log.lines[0].hasSuffix("> 41 54 0d" + String(repeating: " ", count: 41) + "AT."))
            #expect(log.lines[1].hasSuffix("< 4f 4b 0d 0a" + String(repeating: " ", count: 38) + "OK.."))
            #expect(await pair.port.statistics.bytesSent == 3)
            #expect(await pair.port.statistics.bytesReceived == 4)
            await pair.port.close()
            await pair.device.close()
        }
    }

    @Test("What a pseudo terminal cannot do is said by name") func unsupported() throws {
        try onLoop { loop in
            let pair = try await SerialPair.virtual(on: loop)
            await #expect(throws: SerialError.unsupportedConfiguration(.lines, got: nil)) { try await pair.port.lines() }
            await #expect(throws: SerialError.unsupportedConfiguration(.lines, got: nil)) { try await pair.port.setLines(dtr: true) }
            await #expect(throws: SerialError.unsupportedConfiguration(.lines, got: nil)) { try await pair.port.events().next() }
            #expect(await pair.port.capabilities.modemLines == .unsupported)
            try await pair.port.drain(timeout: .seconds(120))
            try await pair.port.discard(.both)
            #expect(try await pair.port.queues() == SerialQueues(input: 0, output: 0))
            var settings = SerialSettings(baud: 9_600)
            try await pair.port.configure(settings)
            #expect(await pair.port.settings.baud == 9_600)
            settings.flowControl = .dtrDsr
            await #expect(throws: SerialError.unsupportedConfiguration(.flowControl, got: nil)) { try await pair.port.configure(settings) }
            await pair.port.close()
            await pair.device.close()
        }
    }

    @Test("Readers are served in turn, and one that gives up leaves the line") func turns() throws {
        try onLoop { loop in
            let pair = try await SerialPair.virtual(on: loop)
            let port = pair.port
            let first = loop.spawn { _ async in await result { () async throws(SerialError) in try await port.readExactly(2) } }
            let second = loop.spawn { _ async in
                await result { () async throws(SerialError) in try await port.readExactly(2, timeout: .milliseconds(5)) }
            }
            let third = loop.spawn { _ async in await result { () async throws(SerialError) in try await port.readExactly(2) } }
            #expect(await second.value.failure == .timedOut(.read, moved: 0))
            try await pair.device.write([1, 2, 3, 4])
            #expect(await first.value == .success([1, 2]))
            #expect(await third.value == .success([3, 4]))
            await pair.port.close()
            await pair.device.close()
        }
    }

    @Test("A port that is dropped is closed: the other end sees it") func dropped() throws {
        try onLoop { loop in
            let pty = try Pty()
            try await loop.timeout(.seconds(120)) {
                do { _ = try await SerialPort.open(pty.path, on: loop) }
                // Exclusive: it opens again only when the first is closed.
                while true {
                    do throws(SerialError) {
                        await (try await SerialPort.open(pty.path, on: loop)).close()
                        break
                    } catch {
                        guard case .busy = error else { throw error }
                        try await loop.sleep(for: .milliseconds(1))
                    }
                }
            }
        }
    }
}

@Suite("A handle that several threads use") struct HandleHoldTests {
    @Test("It is closed once, when the last is out, and nobody gets in afterwards") func once() {
        let tally = Tally()
        let hold = HandleHold { _ = tally.next() }
        #expect(hold.use { 1 } == 1)
        hold.use {
            hold.use { hold.end() }
            #expect(tally.value == 0)
            #expect(hold.use { 1 } == nil)
        }
        #expect(tally.value == 1)
        hold.end()
        #expect(tally.value == 1)
        #expect(hold.use { 1 } == nil)
    }

    @Test("A hold that is dropped closes its handle") func dropped() {
        let tally = Tally()
        do { _ = HandleHold { _ = tally.next() } }
        #expect(tally.value == 1)
    }
}
