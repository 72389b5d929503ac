#if PORTLOOP_LINUX
import LoopCore

@testable import SerialOps

/// The adapter as the list shows it.
private func adapter(_ loop: isolated EventLoop) async throws -> SerialPortInfo {
    guard let info = try await SerialPort.list(on: loop).first(where: { $0.path == Bench.adapter }) else { throw Unmet("no adapter") }
    return info
}

/// What is known of the adapter, but for its name.
private func nameless(_ change: SerialPortChange?) -> String {
    switch change {
    case .added(let info): "added \(String(describing: info.serialNumber)) at \(info.path)"
    case .removed(let info): "removed \(String(describing: info.serialNumber)) at \(info.path)"
    case nil: "nothing"
    }
}

private func watchReplug(_ source: LinuxSerialPortSource, _ loop: isolated EventLoop) async throws {
    let watcher = try await SerialPort.watch(source, on: loop, timeout: .seconds(5))
    let info = try await adapter(loop)
    try expect(await watcher.ports.contains(info), "the watcher does not know the adapter")
    try await loop.host("unplug")
    try expectEqual(await watcher.next(timeout: .seconds(10)), .removed(info), "the first change")
    try expect(!(await watcher.ports.contains(info)), "the watcher still knows the adapter")
    try await loop.host("replug")
    try expectEqual(await watcher.next(timeout: .seconds(10)), .added(info), "the second change")
    try await expectError(SerialError.timedOut(.watch, moved: 0), "the third change") { () async throws(SerialError) in
        try await watcher.next(timeout: .milliseconds(50))
    }
    await watcher.close()
    try expectEqual(await watcher.next(), nil, "after the close")
}

let discoveryCases: [Case] = [
    Case("The list has every port of the machine, in order, and no ghost") { loop in
        let ports = try await SerialPort.list(on: loop)
        try expectEqual(
            ports.map(\.path), ["/dev/ttyACM0", "/dev/ttyGS0", "/dev/ttyS0", "/dev/ttyS1", "/dev/ttyUSB0"] as [SerialText], "the paths")
        try expectEqual(ports.map(\.kind), [.usb, .gadget, .builtIn, .builtIn, .usb], "the kinds")
        try expectEqual(ports.map(\.driver), ["cdc_acm", nil, "serial", "serial", "ftdi_sio"] as [SerialText?], "the drivers")
    },
    Case("The list says of an adapter what it says of itself") { loop in
        let info = try await adapter(loop)
        try expectEqual(info.vendorID, 0x0403, "the maker's number")
        try expectEqual(info.productID, 0x6001, "the model's number")
        try expectEqual(info.serialNumber, "PORTLOOP1", "the serial number")
        try expectEqual(info.manufacturer, "QEMU", "the maker")
        try expectEqual(info.product, "QEMU USB SERIAL", "the model")
        try expectEqual(info.interfaceNumber, 0, "the interface")
        try expect(info.location != nil, "no location")
    },
    Case("The list opens nothing") { loop in
        try await loop.host("mark")
        _ = try await SerialPort.list(on: loop)
        try expectEqual(await loop.trace("writes 4"), [], "writes to the lines of the 16550")
        try expectEqual(await loop.trace("usb-lines"), [], "requests to the adapter")
    },
    Case("An open port knows its device") { loop in
        let port = try await SerialPort.open(Bench.adapter, on: loop)
        try expectEqual(await port.info, try await adapter(loop), "the device")
        await port.close()
    },
    Case("A watcher tells what is unplugged and what is plugged in, from the kernel's messages") { loop in
        try await watchReplug(LinuxSerialPortSource(), loop)
    },
    Case("A watcher tells what is unplugged and what is plugged in, from the folder of devices") { loop in
        try await watchReplug(LinuxSerialPortSource(news: .folder), loop)
    },
    Case("Unplugged and plugged in while nobody asks is two changes") { loop in
        let watcher = try await SerialPort.watch(on: loop)
        try await loop.host("unplug")
        try await loop.wait(until: "the old node goes") { !Bench.exists(Bench.adapter) }
        try await loop.host("replug")
        try await loop.wait(until: "the new node comes") { Bench.exists(Bench.adapter) }
        var found: [String] = []
        for try await change in watcher.changes {
            found.append(nameless(change))
            if found.count == 2 { break }
        }
        let name = "\(String(describing: SerialText("PORTLOOP1") as SerialText?)) at \(Bench.adapter)"
        try expectEqual(found, ["removed \(name)", "added \(name)"], "the changes")
        await watcher.close()
    },
]
#endif
