#if PORTLOOP_LINUX
import LoopCore

@testable import SerialOps

private let portloop1 = SerialIdentity(vendorID: 0x0403, productID: 0x6001, serialNumber: "PORTLOOP1")

/// The name that a device gets while the old one is not free.
private let otherName: SerialText = "/dev/ttyUSB1"

let reconnectCases: [Case] = [
    Case("A device is opened by what it is") { loop in
        let port = try await SerialPort.open(matching: portloop1, on: loop, timeout: .seconds(10))
        try expectEqual(port.path, Bench.adapter, "the path")
        await port.close()
        try await expectError(SerialError.timedOut(.reconnect, moved: 0), "another device") { () async throws(SerialError) in
            try await SerialPort.open(
                matching: SerialIdentity(vendorID: 0x0403, productID: 0x6001, serialNumber: "OTHER"), on: loop, timeout: .milliseconds(100))
        }
    },
    Case("Unplugged and plugged in again, a port is reconnected with its settings and its counts") { loop in
        let port = try await SerialPort.open(Bench.adapter, SerialSettings(baud: 57_600), on: loop)
        try await port.write("before", timeout: .seconds(5))
        try await loop.host("unplug")
        try await expectError(SerialError.disconnected, "the read") { () async throws(SerialError) in
            try await port.read(timeout: .seconds(10))
        }
        let reconnecting = loop.spawn { _ async in
            await result { () async throws(SerialError) in try await port.reconnect(timeout: .seconds(20)) }
        }
        try await loop.wait(until: "the old node goes") { !Bench.exists(Bench.adapter) }
        try await loop.host("replug")
        let again = try await reconnecting.value.get()
        try expectEqual(again.path, Bench.adapter, "the path")
        try expectEqual(await again.settings.baud, 57_600, "the speed")
        try await loop.hostSends([1, 2, 3], to: "usb")
        try expectEqual(await again.readExactly(3, timeout: .seconds(10)), [1, 2, 3], "what came")
        let statistics = await again.statistics
        try expectEqual(statistics.reconnects, 1, "reconnects")
        try expectEqual(statistics.bytesSent, 6, "bytes sent by both")
        try expectEqual(statistics.bytesReceived, 3, "bytes received by both")
        _ = try await loop.host("receive usb 6")
        await again.close()
    },
    Case("A device that comes back under another name, in another socket, is found") { loop in
        let port = try await SerialPort.open(Bench.adapter, on: loop)
        do {
            // Another program that has the dead port open: its name is not free.
            let door = try BackDoor(Bench.adapter)
            try await loop.host("unplug")
            try await loop.wait(until: "the port knows") { await port.ending != nil }
            try await loop.host("replug 2")
            let again = try await port.reconnect(timeout: .seconds(20))
            try expectEqual(again.path, otherName, "the path")
            try await again.write("x", timeout: .seconds(5))
            _ = try await loop.host("receive usb 1")
            await again.close()
            door.release()
        }
        try await loop.host("unplug")
        try await loop.wait(until: "the node goes") { !Bench.exists(otherName) }
        try await loop.host("replug")
    },
    Case("A reconnect without a device ends with its timeout, and can be tried again") { loop in
        let port = try await SerialPort.open(Bench.adapter, on: loop)
        try await loop.host("unplug")
        try await loop.wait(until: "the port knows") { await port.ending != nil }
        try await expectError(SerialError.timedOut(.reconnect, moved: 0), "the first try") { () async throws(SerialError) in
            try await port.reconnect(timeout: .milliseconds(100))
        }
        try await loop.host("replug")
        await (try await port.reconnect(timeout: .seconds(20))).close()
    },
]
#endif
