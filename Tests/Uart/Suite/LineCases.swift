#if PORTLOOP_LINUX
import LoopCore
import SerialOps

/// The modem control register of a 16550, and its bits.
private let modemControl = "writes 4"
private let dtrBit: UInt32 = 1
private let rtsBit: UInt32 = 2
private let bothBits: UInt32 = 3

/// States of the two lines, without those that repeat the one before.
private func states(_ writes: [UInt32], from first: UInt32) -> [UInt32] {
    writes.map { $0 & bothBits }.reduce(into: [first]) { found, state in
        if found.last != state { found.append(state) }
    }
}

private func settings(dtr: InitialLine, rts: InitialLine, hangsUp: Bool = false) -> SerialSettings {
    var settings = SerialSettings()
    (settings.dtr, settings.rts, settings.hangsUpOnClose) = (dtr, rts, hangsUp)
    return settings
}

/// Leaves both lines of the 16550 off.
private func dropLines(_ loop: isolated EventLoop) async throws {
    let port = try await SerialPort.open(Bench.uart, settings(dtr: .cleared, rts: .cleared, hangsUp: true), on: loop)
    await port.close()
}

let lineCases: [Case] = [
    Case("RTS and DTR come back through the chip's own loop as CTS and DSR") { loop in
        let port = try await SerialPort.open(Bench.uart, on: loop)
        let door = try BackDoor(Bench.uart)
        try door.setLoopBack(true)
        for (dtr, rts, expected) in [
            (true, true, [.dsr, .cts] as ModemLines), (false, true, .cts), (true, false, .dsr), (false, false, []),
        ] {
            try await port.setLines(dtr: dtr, rts: rts)
            // The driver's own output that lets interrupts through comes back as CD.
            try expectEqual(await port.lines().subtracting(.cd), expected, "DTR \(dtr), RTS \(rts)")
        }
        try await port.setLines(rts: true)
        try expectEqual(await port.lines().subtracting(.cd), .cts, "RTS alone")
        try door.setLoopBack(false)
        await port.close()
    },
    Case("Lines that change together change in one write, in opposite directions too") { loop in
        let port = try await SerialPort.open(Bench.uart, settings(dtr: .asserted, rts: .cleared), on: loop)
        try await loop.host("mark")
        try await port.setLines(dtr: false, rts: true)
        try await port.setLines(dtr: true, rts: false)
        try expectEqual(states(await loop.trace(modemControl), from: dtrBit), [dtrBit, rtsBit, dtrBit], "the lines")
        await port.close()
    },
    Case("Opened with both lines cleared they fall together, once, and a pulse raises none alone") { loop in
        try await dropLines(loop)
        try await loop.host("mark")
        let port = try await SerialPort.open(Bench.uart, settings(dtr: .cleared, rts: .cleared), on: loop)
        // The kernel raises both when it opens the port; nothing can keep it from that.
        try expectEqual(states(await loop.trace(modemControl), from: 0), [0, bothBits, 0], "the lines")
        try await loop.host("mark")
        try await port.pulse(dtr: true, rts: true, for: .milliseconds(1))
        try expectEqual(states(await loop.trace(modemControl), from: 0), [0, bothBits, 0], "the pulse")
        await port.close()
    },
    Case("Opened with both lines asserted, closed and opened again they make no edge but the first") { loop in
        try await dropLines(loop)
        try await loop.host("mark")
        for _ in 1...3 {
            let port = try await SerialPort.open(Bench.uart, settings(dtr: .asserted, rts: .asserted), on: loop)
            await port.close()
        }
        try expectEqual(states(await loop.trace(modemControl), from: 0), [0, bothBits], "the lines")
    },
    Case("Lines that are kept stay as they were left") { loop in
        try await dropLines(loop)
        let port = try await SerialPort.open(Bench.uart, settings(dtr: .asserted, rts: .asserted), on: loop)
        await port.close()
        try await loop.host("mark")
        let again = try await SerialPort.open(Bench.uart, settings(dtr: .kept, rts: .kept), on: loop)
        await again.close()
        try expectEqual(states(await loop.trace(modemControl), from: bothBits), [bothBits], "the lines")
    },
    Case("Lines drop at close where that was asked for") { loop in
        try await dropLines(loop)
        try await loop.host("mark")
        let port = try await SerialPort.open(Bench.uart, settings(dtr: .asserted, rts: .asserted, hangsUp: true), on: loop)
        await port.close()
        try expectEqual(states(await loop.trace(modemControl), from: 0), [0, bothBits, 0], "the lines")
    },
    Case("A USB adapter gets both lines in one request") { loop in
        let port = try await SerialPort.open(Bench.adapter, settings(dtr: .asserted, rts: .asserted), on: loop)
        try await loop.host("mark")
        try await port.setLines(dtr: false, rts: false)
        try await port.setLines(dtr: true, rts: true)
        // The upper byte says which lines are meant, the lower how they are to be.
        try expectEqual(await loop.trace("usb-lines"), [0x0300, 0x0303], "requests")
        await port.close()
    },
]
#endif
