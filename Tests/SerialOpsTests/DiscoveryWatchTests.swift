import Glibc
import LoopCore
import Testing

@testable import SerialOps

/// The kernel is told to send a message about a terminal again: only root may.
private let synthetic = "/sys/class/tty/ttyS0/uevent"

// SAFETY: the path ends with a NUL for the time of the call.
private var canSend: Bool { unsafe access(synthetic, W_OK) == 0 }

// SAFETY: the path ends with a NUL for the time of the call, and so many bytes are written as the array has.
private func sendSynthetic() {
    let fd = unsafe open(synthetic, O_WRONLY | O_CLOEXEC)
    let bytes = Array("change".utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe write(fd, $0.baseAddress, $0.count) }
    close(fd)
}

@Suite("The watcher of ports") struct DiscoveryWatchTests {
    @Test("What comes and goes is told once, with what was known of it") func changes() throws {
        let machine = try FakePorts()
        try machine.addUART("ttyS0", type: 4)
        try onLoop { loop in
            let watcher = try await SerialPort.watch(machine.source, on: loop, timeout: .seconds(60))
            #expect(await watcher.ports.map(\.path) == [machine.path("ttyS0")])
            let adapter = FakePorts.Adapter()
            try machine.plugIn(adapter)
            let change = try await watcher.next(timeout: .seconds(60))
            guard case .added(let info) = change else { return #expect(Bool(false), "\(String(describing: change))") }
            #expect(info.path == machine.path("ttyUSB0") && info.serialNumber == "A1")
            try machine.pullOut(adapter)
            #expect(try await watcher.next(timeout: .seconds(60)) == .removed(info))
            #expect(await watcher.ports.count == 1)
            await #expect(throws: SerialError.timedOut(.watch, moved: 0)) { try await watcher.next(timeout: .milliseconds(10)) }
            await watcher.close()
            #expect(try await watcher.next() == nil)
        }
    }

    @Test("Pulled out and put in again while nobody asks is two changes") func replug() throws {
        let machine = try FakePorts()
        let adapter = FakePorts.Adapter()
        try machine.plugIn(adapter)
        try onLoop { loop in
            let watcher = try await SerialPort.watch(machine.source, on: loop, timeout: .seconds(60))
            let info = try #require(await watcher.ports.first)
            try machine.pullOut(adapter)
            try machine.plugIn(adapter)
            #expect(try await watcher.next(timeout: .seconds(60)) == .removed(info))
            #expect(try await watcher.next(timeout: .seconds(60)) == .added(info))
            await watcher.close()
        }
    }

    @Test("A watcher that is cancelled loses nothing, and one that is closed ends whoever waits") func ends() throws {
        let machine = try FakePorts()
        try onLoop { loop in
            let watcher = try await SerialPort.watch(machine.source, on: loop, timeout: .seconds(60))
            let waiter = loop.spawn { _ async in await result { () async throws(SerialError) in try await watcher.next() } }
            try await loop.sleep(for: .milliseconds(1))
            waiter.cancel()
            #expect(await waiter.value == .failure(.cancelled(.watch, moved: 0)))
            try machine.plugIn(FakePorts.Adapter())
            guard case .added = try await watcher.next(timeout: .seconds(60)) else { return #expect(Bool(false)) }
            let last = loop.spawn { _ async in await result { () async throws(SerialError) in try await watcher.next() } }
            try await loop.sleep(for: .milliseconds(1))
            await watcher.close()
            #expect(await last.value == .success(nil))
        }
    }

    @Test("A watcher that is dropped leaves nothing behind") func dropped() throws {
        let machine = try FakePorts()
        try onLoop { loop in
            let handles = loop.metrics.handles
            _ = try await SerialPort.watch(machine.source, on: loop, timeout: .seconds(60))
            for _ in 1...100 where loop.metrics.handles > handles { try await loop.sleep(for: .milliseconds(1)) }
            #expect(loop.metrics.handles == handles)
        }
    }

    @Test("The kernel's messages make a watcher look", .enabled(if: canSend, "only root may ask for a message")) func kernel() throws {
        let machine = try FakePorts()
        try onLoop { loop in
            let watcher = try await SerialPort.watch(machine.sourceWithKernelNews, on: loop, timeout: .seconds(60))
            try machine.plugIn(FakePorts.Adapter())
            await #expect(throws: SerialError.timedOut(.watch, moved: 0)) { try await watcher.next(timeout: .milliseconds(20)) }
            sendSynthetic()
            guard case .added(let info) = try await watcher.next(timeout: .seconds(60)) else { return #expect(Bool(false)) }
            #expect(info.path == machine.path("ttyUSB0"))
            await watcher.close()
        }
    }

    @Test("A message of the kernel's is taken apart") func uevent() {
        let lines = ["remove@/devices/x/ttyUSB0", "ACTION=remove", "SUBSYSTEM=tty", "DEVNAME=ttyUSB0", "SEQNUM=1", "ODD"]
        let event = Uevent(Array(lines.joined(separator: "\0").utf8))
        #expect(event.action == "remove" && event.subsystem == "tty" && event.name == "ttyUSB0")
        #expect(Uevent([UInt8]()).action == nil)
    }

    // MARK: opening by what it is

    @Test("A device is opened when it comes, under whatever name") func openMatching() throws {
        let (machine, pty) = (try FakePorts(), try Pty())
        try onLoop { loop in
            let identity = SerialIdentity(vendorID: 0x0403, productID: 0x6001, serialNumber: "A1")
            let opener = loop.spawn { _ async in
                await result { () async throws(SerialError) in
                    try await SerialPort.open(matching: identity, SerialSettings(), on: loop, timeout: .seconds(10), machine.source)
                }
            }
            try machine.plugIn(FakePorts.Adapter(serial: "A2", socket: "1-1", name: "ttyUSB0"))
            try machine.plugIn(FakePorts.Adapter(socket: "1-3", name: "ttyUSB4")) { node in
                // SAFETY: both paths end with a NUL for the time of the call.
                try #require(unsafe symlink("\(pty.path)", node) == 0)
            }
            let port = try await opener.value.get()
            #expect(port.path == machine.path("ttyUSB4"))
            pty.send([7])
            #expect(try await port.read(timeout: .seconds(60)) == [7])
            #expect(await port.info == nil)
            await port.close()
        }
    }

    @Test("A device that another program still has is tried again, for a second") func busy() throws {
        let (machine, pty) = (try FakePorts(), try Pty())
        try machine.plugIn(FakePorts.Adapter()) { node in
            // SAFETY: both paths end with a NUL for the time of the call.
            try #require(unsafe symlink("\(pty.path)", node) == 0)
        }
        try onLoop { loop in
            let holder = try await SerialPort.open(pty.path, on: loop)
            let identity = SerialIdentity(vendorID: 0x0403, productID: 0x6001)
            let opener = loop.spawn { _ async in
                await result { () async throws(SerialError) in
                    try await SerialPort.open(matching: identity, SerialSettings(), on: loop, timeout: .seconds(10), machine.source)
                }
            }
            try await loop.sleep(for: .milliseconds(50))
            await holder.close()
            await (try await opener.value.get()).close()
            let again = try await SerialPort.open(pty.path, on: loop)
            let error = await result { () async throws(SerialError) in
                try await SerialPort.open(matching: identity, SerialSettings(), on: loop, timeout: .seconds(30), machine.source)
            }
            guard case .failure(.busy) = error else { return #expect(Bool(false), "\(error)") }
            await again.close()
        }
    }

    @Test("A device that this user may not open yet is tried again, and one that went meanwhile is waited for") func notYet() throws {
        let (machine, pty, tries) = (try FakePorts(), try Pty(), Tally())
        try machine.plugIn(FakePorts.Adapter())
        try onLoop { loop in
            let opener = loop.spawn { _ async in
                await result { () async throws(SerialError) in
                    try await SerialPort.open(
                        matching: SerialIdentity(vendorID: 0x0403, productID: 0x6001), SerialSettings(), on: loop, timeout: .seconds(10),
                        machine.source
                    ) { path, settings, loop, _ async throws(SerialError) in
                        switch tries.next() {
                        case 1...3: throw .permissionDenied(path, group: "dialout")
                        case 4: throw .notFound(path)
                        case 5...6: throw .busy(PortHolder(path: path))
                        default: return try await SerialPort.open(pty.path, settings, on: loop)
                        }
                    }
                }
            }
            while tries.value < 4 { try await loop.sleep(for: .milliseconds(1)) }
            // The list says that it is there again.
            try machine.pullOut(FakePorts.Adapter())
            try machine.plugIn(FakePorts.Adapter())
            await (try await opener.value.get()).close()
            #expect(tries.value == 7)
        }
    }

    @Test("A device that this user may never open: the error is that, and not that the time was up") func never() throws {
        let (machine, tries) = (try FakePorts(), Tally())
        try machine.plugIn(FakePorts.Adapter())
        try onLoop { loop in
            let denied = SerialError.permissionDenied("port", group: "dialout")
            let error = await result { () async throws(SerialError) in
                try await SerialPort.open(
                    matching: SerialIdentity(vendorID: 0x0403, productID: 0x6001), SerialSettings(), on: loop,
                    timeout: .milliseconds(100), machine.source
                ) { _, _, _, _ async throws(SerialError) in
                    _ = tries.next()
                    throw denied
                }
            }
            #expect(error.failure == denied)
            #expect(tries.value > 1)
        }
    }

    @Test("A port without a device cannot be found again") func pseudo() throws {
        let pty = try Pty()
        try onLoop { loop in
            let port = try await SerialPort.open(pty.path, on: loop)
            await #expect(throws: SerialError.notFound(pty.path)) { try await port.reconnect(timeout: .seconds(1)) }
            await port.close()
        }
    }
}
