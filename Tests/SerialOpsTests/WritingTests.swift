import LoopCore
import Testing

@testable import SerialOps

@Suite("What is written to a port") struct WritingTests {
    @Test("Two tasks' writes do not mix, also where the driver takes a part of one at once", arguments: [1, 3_000, 40_000])
    func whole(bytes: Int) throws {
        try onLoop { loop in
            let pair = try await SerialPair.virtual(on: loop)
            let writers = (1...3).map { number in
                loop.spawn { _ async in
                    await result { () async throws(SerialError) in
                        try await pair.port.write([UInt8](repeating: UInt8(number), count: bytes), timeout: .seconds(20))
                    }
                }
            }
            let came = try await pair.device.readExactly(3 * bytes, timeout: .seconds(20))
            for writer in writers { _ = try await writer.value.get() }
            #expect(zip(came, came.dropFirst()).count { $0 != $1 } == 2)
            #expect(await pair.port.statistics.bytesSent == UInt64(3 * bytes))
            await pair.port.close()
            await pair.device.close()
        }
    }

    @Test("Who comes while another's write is half done waits, also where there is room by then") func behind() throws {
        try onLoop { loop in
            let pair = try await SerialPair.virtual(on: loop)
            let write = { @Sendable (byte: UInt8, count: Int) in
                loop.spawn { _ async in
                    await result { () async throws(SerialError) in
                        try await pair.port.write([UInt8](repeating: byte, count: count), timeout: .seconds(20))
                    }
                }
            }
            var writers = [write(1, 40_000)]
            var came: [UInt8] = []
            for _ in 0..<30 {
                came += try await pair.device.readExactly(1_000, timeout: .seconds(20))
                writers.append(write(2, 1))
            }
            came += try await pair.device.readExactly(10_030, timeout: .seconds(20))
            for writer in writers { _ = try await writer.value.get() }
            #expect(came == [UInt8](repeating: 1, count: 40_000) + [UInt8](repeating: 2, count: 30))
            await pair.port.close()
            await pair.device.close()
        }
    }

    @Test("A task that was cancelled before writes nothing") func cancelledBefore() throws {
        try onLoop { loop in
            let pair = try await SerialPair.virtual(on: loop)
            let writer = loop.spawn { _ async in
                // SAFETY: the task is used within the call.
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                return await result { () async throws(SerialError) in try await pair.port.write([1, 2, 3]) }
            }
            guard case .failure(.cancelled(.write, moved: 0)) = await writer.value else {
                Issue.record("A cancelled task has written.")
                return
            }
            try await pair.port.write([4])
            #expect(try await pair.device.read(timeout: .seconds(5)) == [4])
            #expect(await pair.port.statistics.writes == 1)
            await pair.port.close()
            await pair.device.close()
        }
    }

    @Test("What is taken at once is seen by a tap, and a port that has ended takes nothing") func atOnce() throws {
        let log = Log()
        try onLoop { loop in
            let pair = try await SerialPair.virtual(on: loop)
            await pair.port.setTap { direction, _, bytes in log.add("\(direction == .output) \(bytes.byteCount)") }
            try await pair.port.write([1, 2, 3])
            await pair.port.close()
            await #expect(throws: SerialError.closed) { try await pair.port.write([1]) }
            await pair.device.close()
        }
        #expect(log.lines == ["true 3"])
    }
}
