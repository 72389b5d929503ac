#if PORTLOOP_LINUX
import LoopCore

@testable import SerialOps

/// A port whose other side does not let it send: in the chip's loop CTS is what RTS is, and that is off.
private func openHeldBack(_ loop: isolated EventLoop) async throws -> SerialPort {
    let port = try await SerialPort.open(Bench.uart, on: loop)
    // Opening it raises the lines once more.
    let door = try BackDoor(Bench.uart)
    try door.setLoopBack(true)
    try await port.setLines(dtr: false, rts: false)
    // The loop of the chip brings no interrupt when CTS changes: the driver looks at it when flow control is switched on.
    try door.setFlowControl()
    try expect(!(try await port.lines().contains(.cts)), "CTS is on")
    return port
}

/// Does something with a port that is held back and closes it, until that was quick, three times at most: the emulated processor may be
/// held up by the real one, but a close that waits for CTS is slow each time. What the body returned last.
private func closeQuickly<R>(_ loop: isolated EventLoop, _ body: (SerialPort) async throws -> R) async throws -> R {
    var times: [Int64] = []
    while true {
        let port = try await openHeldBack(loop)
        let value = try await body(port)
        let began = MonotonicClock.now
        let report = await port.close()
        times.append((MonotonicClock.now - began) / 1_000)
        try BackDoor(Bench.uart).setLoopBack(false)
        try expect(report.isClean, "the close left something: \(report)")
        if let last = times.last, last < closeMicrosecondsMax { return value }
        try expect(times.count < 3, "the close took \(times) us")
    }
}

/// What a close may take while CTS holds back what was written.
private let closeMicrosecondsMax: Int64 = 50_000

let flowCases: [Case] = [
    Case("A drain that CTS holds back ends with its timeout, and the close is quick") { loop in
        try await closeQuickly(loop) { port in
            try await port.write([UInt8](repeating: 0x55, count: 2_000), timeout: .seconds(5))
            try expect(try await port.queues().output > 0, "it was sent all the same")
            try await expectError(SerialError.timedOut(.drain, moved: 0), "the drain") { () async throws(SerialError) in
                try await port.drain(timeout: .milliseconds(100))
            }
        }
    },
    Case("A write that CTS holds back ends with its timeout, and says how much was taken") { loop in
        try await closeQuickly(loop) { port in
            let outcome = await result { () async throws(SerialError) in
                try await port.write([UInt8](repeating: 0x55, count: 100_000), timeout: .milliseconds(100))
            }
            guard case .failure(.timedOut(.write, moved: let moved)) = outcome else { throw Unmet("it came to \(outcome)") }
            try expect(moved > 0 && moved < 100_000, "\(moved) bytes")
            try expectEqual(await Int(port.statistics.bytesSent), moved, "counted")
        }
    },
    Case("A close ends a write that CTS holds back") { loop in
        let writer = try await closeQuickly(loop) { port in
            let writer = loop.spawn { _ async in
                await result { () async throws(SerialError) in try await port.write([UInt8](repeating: 0x55, count: 100_000)) }
            }
            try await loop.wait(until: "the driver is full") { try await port.queues().output > 1_000 }
            return writer
        }
        try expectFailure(await writer.value, .closed, "the write")
    },
    Case("A close that is to drain first keeps to its time") { loop in
        let port = try await openHeldBack(loop)
        try await port.write([UInt8](repeating: 0x55, count: 100), timeout: .seconds(5))
        let began = MonotonicClock.now
        await port.close(draining: .milliseconds(50))
        try BackDoor(Bench.uart).setLoopBack(false)
        let took = (MonotonicClock.now - began) / 1_000_000
        try expect(took >= 50 && took < 1_000, "it took \(took) ms")
    },
]
#endif
