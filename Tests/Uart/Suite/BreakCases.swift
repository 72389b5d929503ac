#if PORTLOOP_LINUX
import LoopCore

@testable import SerialOps

/// The line control register of a 16550, and its bit for a break.
private let lineControl = "writes 3"
private let breakBit: UInt32 = 0x40

let breakCases: [Case] = [
    Case("Bytes go both ways") { loop in
        let every = Array(0...255) as [UInt8]
        for (path, line) in [(Bench.uart, "uart"), (Bench.adapter, "usb")] {
            let port = try await SerialPort.open(path, on: loop)
            try await loop.hostSends(every, to: line)
            try expectEqual(await port.readExactly(256, timeout: .seconds(10)), every, "received from \(line)")
            try await port.write(every, timeout: .seconds(10))
            try await port.drain(timeout: .seconds(10))
            let hex = try await loop.host("receive \(line) 256")
            try expectEqual(hex, try await loop.host("hex 256"), "sent to \(line)")
            try expectEqual(await port.statistics.bytesReceived, 256, "counted")
            await port.close()
        }
    },
    Case("A break that comes is one zero and is counted") { loop in
        let port = try await SerialPort.open(Bench.uart, on: loop)
        let before = try await port.counters().0
        try await loop.host("break")
        try expectEqual(await port.readExactly(1, timeout: .seconds(10)), [0], "the break")
        try expectEqual(try await port.counters().0.breaks, before.breaks + 1, "breaks")
        await port.close()
    },
    Case("A break that is sent holds the line and lets it go") { loop in
        let port = try await SerialPort.open(Bench.uart, on: loop)
        try await loop.host("mark")
        try await port.sendBreak(for: .milliseconds(20))
        let held = try await loop.trace(lineControl).map { $0 & breakBit != 0 }
        try expectEqual(held, [true, false], "the break bit")
        await port.close()
    },
    Case("A listener is told of a break, and of nothing else") { loop in
        let port = try await SerialPort.open(Bench.uart, on: loop)
        let events = port.events()
        // The counters as they are now are where it begins.
        try await expectError(SerialError.timedOut(.events, moved: 0), "before") { () async throws(SerialError) in
            try await events.next(timeout: .milliseconds(20))
        }
        try await loop.host("break")
        try expectEqual(await events.next(timeout: .seconds(10)), .breakReceived, "the event")
        try await expectError(SerialError.timedOut(.events, moved: 0), "after") { () async throws(SerialError) in
            try await events.next(timeout: .milliseconds(20))
        }
        await port.close()
    },
    Case("A break that came before anybody listened is told to the first who does, and to nobody else") { loop in
        let port = try await SerialPort.open(Bench.uart, on: loop)
        try await loop.host("break")
        try expectEqual(await port.readExactly(1, timeout: .seconds(10)), [0], "the break")
        try expectEqual(await port.events().next(timeout: .seconds(10)), .breakReceived, "the event")
        try await expectError(SerialError.timedOut(.events, moved: 0), "after") { () async throws(SerialError) in
            try await port.events().next(timeout: .milliseconds(20))
        }
        await port.close()
    },
    Case("Unplugged, a listener is told") { loop in
        let port = try await SerialPort.open(Bench.adapter, on: loop)
        let events = port.events()
        let listener = loop.spawn { _ async in
            await result { () async throws(SerialError) in try await events.next(timeout: .seconds(10)) }
        }
        try await loop.host("unplug")
        try expectFailure(await listener.value, .disconnected, "the listener")
        await port.close()
        try await loop.wait(until: "the old node goes") { !Bench.exists(Bench.adapter) }
        try await loop.host("replug")
    },
    Case("Counters go on where the port is opened again") { loop in
        let port = try await SerialPort.open(Bench.uart, on: loop)
        let before = try await port.counters().0.breaks
        await port.close()
        let again = try await SerialPort.open(Bench.uart, on: loop)
        try await loop.host("break")
        _ = try await again.read(timeout: .seconds(10))
        try expectEqual(try await again.counters().0.breaks, before + 1, "breaks")
        await again.close()
    },
]
#endif
