#if PORTLOOP_LINUX
import LoopCore

@testable import SerialOps

/// Pulls the adapter's plug.
private func unplug(_ loop: isolated EventLoop) async throws { try await loop.host("unplug") }

/// Plugs it in again, and waits for its node.
private func replug(_ loop: isolated EventLoop) async throws {
    try await loop.wait(until: "the old node goes") { !Bench.exists(Bench.adapter) }
    try await loop.host("replug")
    try await loop.wait(until: "the adapter comes back as \(Bench.adapter)") { Bench.exists(Bench.adapter) }
}

private func end(_ port: SerialPort, _ loop: isolated EventLoop) async throws {
    try expect(await port.close().isClean, "the close left something")
    try await replug(loop)
    await (try await SerialPort.open(Bench.adapter, on: loop)).close()
}

let unplugCases: [Case] = [
    Case("Unplugged while it is idle, a port knows, does not spin, and comes back under its name") { loop in
        let port = try await SerialPort.open(Bench.adapter, on: loop)
        try await unplug(loop)
        try await loop.wait(until: "the port knows") { await port.ending != nil }
        try expectEqual(await port.ending, .disconnected, "the ending")
        let (before, began) = (Usage.now, loop.metrics.port.kernelWaits)
        try await loop.sleep(for: .milliseconds(200))
        let (after, ended) = (Usage.now, loop.metrics.port.kernelWaits)
        try expect(ended - began < 20, "the loop asked the kernel \(ended - began) times")
        try expect(after.microseconds - before.microseconds < 50_000, "\(after.microseconds - before.microseconds) us of processor time")
        try expect(after.switches - before.switches < 100, "\(after.switches - before.switches) context switches")
        try await end(port, loop)
    },
    Case("Unplugged while a read waits, the read ends") { loop in
        let port = try await SerialPort.open(Bench.adapter, on: loop)
        let reader = loop.spawn { _ async in
            await result { () async throws(SerialError) in try await port.read(timeout: .seconds(10)) }
        }
        try await unplug(loop)
        try expectFailure(await reader.value, .disconnected, "the read")
        try await end(port, loop)
    },
    Case("What had come before the plug was pulled is still read") { loop in
        let port = try await SerialPort.open(Bench.adapter, on: loop)
        try await loop.hostSends(Array("last words".utf8), to: "usb")
        try await loop.wait(until: "they come") { await port.bytesWaiting == 10 }
        try await unplug(loop)
        try await loop.wait(until: "the port knows") { await port.ending != nil }
        try expectEqual(await port.read(timeout: .seconds(5)), Array("last words".utf8), "what came")
        try await expectError(SerialError.disconnected, "the next read") { () async throws(SerialError) in try await port.read() }
        try await end(port, loop)
    },
    Case("Unplugged, every call says so") { loop in
        let port = try await SerialPort.open(Bench.adapter, on: loop)
        try await unplug(loop)
        // Whichever is first to find out.
        try await expectError(SerialError.disconnected, "the lines") { () async throws(SerialError) in
            while true { _ = try await port.lines() }
        }
        try await expectError(SerialError.disconnected, "a write") { () async throws(SerialError) in
            while true { try await port.write([1], timeout: .seconds(5)) }
        }
        try await expectError(SerialError.disconnected, "setting lines") { () async throws(SerialError) in
            while true { try await port.setLines(dtr: true) }
        }
        try await expectError(SerialError.disconnected, "a drain") { () async throws(SerialError) in
            while true { try await port.drain(timeout: .seconds(5)) }
        }
        try await end(port, loop)
    },
    Case("Closed after the plug was pulled and before that is known, a port ends cleanly") { loop in
        let port = try await SerialPort.open(Bench.adapter, on: loop)
        try await unplug(loop)
        try await end(port, loop)
    },
]
#endif
