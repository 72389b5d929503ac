#if PORTLOOP_LINUX
import LoopCore

@testable import SerialOps

private func putIn(_ plug: ModemPlug, _ loop: isolated EventLoop) async throws {
    try await loop.wait(until: "the old node goes") { !Bench.exists(Bench.modem) }
    try plug.putIn()
    try await loop.wait(until: "the modem comes back as \(Bench.modem)") { Bench.exists(Bench.modem) }
}

/// Bytes that do not repeat where packets and buffers end: 4093 is a prime.
private func pattern(_ count: Int) -> [UInt8] {
    let block = (0..<4_093).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + block.count)
    while bytes.count < count { bytes += block }
    bytes.removeLast(bytes.count - count)
    return bytes
}

private func pass(_ bytes: [UInt8], from sender: SerialPort, to receiver: SerialPort, _ loop: isolated EventLoop) async throws {
    let writer = loop.spawn { _ async in
        await result { () async throws(SerialError) in try await sender.write(bytes, timeout: .seconds(20)) }
    }
    var received: [UInt8] = []
    while received.count < bytes.count { received += try await receiver.read(timeout: .seconds(10)) }
    _ = try await writer.value.get()
    try expectEqual(received.count, bytes.count, "bytes")
    try expect(received == bytes, "the bytes are not the same")
}

let modemCases: [Case] = [
    Case("A quarter of a megabyte goes each way without a byte too few or too many") { loop in
        let (host, device) = (try await SerialPort.open(Bench.modem, on: loop), try await SerialPort.open(Bench.gadget, on: loop))
        let bytes = pattern(256 << 10)
        let began = MonotonicClock.now
        try await pass(bytes, from: host, to: device, loop)
        try await pass(bytes, from: device, to: host, loop)
        let milliseconds = max(1, (MonotonicClock.now - began) / 1_000_000)
        Console.say("    \(2 * Int64(bytes.count) / milliseconds) kB/s")
        await host.close()
        await device.close()
    },
    Case("Unplugged while a write waits, the write ends") { loop in
        let plug = try ModemPlug()
        let port = try await SerialPort.open(Bench.modem, on: loop)
        // Nobody reads at the other end.
        let writer = loop.spawn { _ async in
            await result { () async throws(SerialError) in try await port.write(pattern(1 << 20), timeout: .seconds(20)) }
        }
        try await loop.wait(until: "the driver is full") { try await port.queues().output > 0 }
        try plug.pull()
        try expectFailure(await writer.value, .disconnected, "the write")
        try expect(await port.close().isClean, "the close left something")
        try await putIn(plug, loop)
    },
    Case("Unplugged while a drain waits, the drain ends") { loop in
        let plug = try ModemPlug()
        let port = try await SerialPort.open(Bench.modem, on: loop)
        _ = await result { () async throws(SerialError) in try await port.write(pattern(1 << 20), timeout: .milliseconds(100)) }
        let drainer = loop.spawn { _ async in
            await result { () async throws(SerialError) in try await port.drain(timeout: .seconds(20)) }
        }
        try plug.pull()
        try expectFailure(await drainer.value, .disconnected, "the drain")
        try expect(await port.close().isClean, "the close left something")
        try await putIn(plug, loop)
    },
    Case("A device without lines says so") { loop in
        let port = try await SerialPort.open(Bench.gadget, on: loop)
        try expectEqual(await port.capabilities.modemLines, .unsupported, "the capability")
        try await expectError(SerialError.unsupportedConfiguration(.lines, got: nil), "the lines") { () async throws(SerialError) in
            try await port.lines()
        }
        await port.close()
    },
]
#endif
