internal import CLoopWin32
internal import LoopCore
internal import SerialOps
internal import _Concurrency

// Which ports there are. The image's host plays the drivers and Windows' plug and play: it lists ports and makes devices.
extension SerialCases {
    private static let driver = "\\Device\\PortloopTest"
    private static let instance = "USB\\VID_0403&PID_6001\\A1B2C3"
    private static let hardware = "USB\\VID_0403&PID_6001&REV_0600"

    /// COM23, with a device behind it.
    private static func plugIn() throws(Unmet) {
        try demandCode(Host.addDevice(instance, hardware: hardware, name: "Model (COM23)", port: "COM23"), "a device")
        try demandCode(Host.list("COM23", of: driver), "a port")
    }

    private static func pullOut() throws(Unmet) {
        try demandCode(Host.strike(driver), "a port less")
        try demandCode(Host.removeDevice(instance), "a device less")
    }

    private static func demandCode(_ code: UInt32, _ what: String) throws(Unmet) { try demand(code == 0, "\(what): error \(code)") }

    static func described(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let before = try await list(loop)
        try demand(before.contains { $0.path == "COM5" } && !before.contains { $0.path == "COM23" }, "COM5 is listed, and COM23 is not")
        try plugIn()
        let ports = try await list(loop)
        try pullOut()
        guard let place = ports.firstIndex(where: { $0.path == "COM23" }) else { throw .failed("COM23 is not listed") }
        if let nine = ports.firstIndex(where: { $0.path == "COM9" }) { try demand(nine < place, "COM9 comes before COM23") }
        let info = ports[place]
        try demand(info.kind == .usb && info.vendorID == 0x0403 && info.productID == 0x6001, "its model")
        try demand(info.serialNumber == "A1B2C3" && info.interfaceNumber == nil, "its serial number")
        try demand(info.friendlyName == "Model (COM23)" && info.manufacturer == "Maker" && info.product == "Model", "its names")
        try demand(info.driver == "Driver", "its driver")
        if portloop_win32_is_wine() != 0 { try demand(info.location == nil, "a place, which Wine does not have") }
        try demand(try await list(loop) == before, "it is gone again")
    }

    private static func list(_ loop: isolated EventLoop) async throws(Unmet) -> [SerialPortInfo] {
        try await must("list") { () async throws(SerialError) in try await SerialPort.list(on: loop) }
    }

    static func watched(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let watcher = try await watch(loop)
        try await mustFail("next", .timedOut(.watch, moved: 0)) { () async throws(SerialError) in
            try await watcher.next(timeout: .milliseconds(20))
        }
        try plugIn()
        guard case .added(let info) = try await next(watcher), info.path == "COM23", info.serialNumber == "A1B2C3" else {
            throw .failed("it was not told that COM23 came")
        }
        // There and back before anybody asks. The registry's list may be looked at in between, or after both.
        for _ in 0..<3 {
            try pullOut()
            await site.pause(.milliseconds(100))
            try plugIn()
            await site.pause(.milliseconds(100))
            try demand(try await next(watcher) == .removed(info), "it was not told that COM23 went")
            try demand(try await next(watcher) == .added(info), "it was not told that COM23 came back")
        }
        let waiter = loop.spawn { _ async in await result { () async throws(SerialError) in try await watcher.next() } }
        await site.pause(.milliseconds(5))
        try pullOut()
        try demand(await waiter.value == .success(.removed(info)), "one who waits was not told")
        await watcher.close()
        let end = await result { () async throws(SerialError) in try await watcher.next() }
        try demand(end == .success(nil), "it has ended")
    }

    private static func watch(_ loop: isolated EventLoop) async throws(Unmet) -> SerialPortWatcher {
        try await must("watch") { () async throws(SerialError) in try await SerialPort.watch(on: loop, timeout: SerialSite.patience) }
    }

    private static func next(
        _ watcher: SerialPortWatcher, isolation: isolated (any Actor)? = #isolation
    ) async throws(Unmet) -> SerialPortChange? {
        try await must("next") { () async throws(SerialError) in try await watcher.next(timeout: SerialSite.patience) }
    }

    static func unwatched(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let handles = loop.metrics.handles
        let watcher = try await watch(loop)
        let waiter = loop.spawn { _ async in await result { () async throws(SerialError) in try await watcher.next() } }
        await site.pause(.milliseconds(5))
        waiter.cancel()
        try demand(await waiter.value == .failure(.cancelled(.watch, moved: 0)), "a cancel was not told")
        // More than the pipe holds, and as much as nobody asks about.
        for _ in 0..<300 {
            try demandCode(Host.list("COM24", of: driver), "a port")
            try demandCode(Host.strike(driver), "a port less")
        }
        await watcher.close()
        do { _ = try await watch(loop) }
        try await site.wait(until: "the dropped watcher to end") { () throws(Unmet) in loop.metrics.handles == handles }
    }

    static func foundAgain(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let port = try await site.open()
        try demand(await port.info?.path == "COM5", "what is behind it")
        try site.peer.send(5, "a")
        let bytes = try await must("read") { () async throws(SerialError) in try await port.read(timeout: SerialSite.patience) }
        try demandEqual(bytes, [0x61], "a byte")
        guard let driver = await port.info?.driver?.description else { throw .failed("the port's driver has no name") }
        try site.peer.order("hang 5")
        try demandCode(Host.strike(driver), "COM5 less")
        try await mustFail("read", .disconnected) { () async throws(SerialError) in try await port.read(timeout: SerialSite.patience) }
        let finder = loop.spawn { _ async in
            await result { () async throws(SerialError) in try await port.reconnect(timeout: SerialSite.patience) }
        }
        await site.pause(.milliseconds(50))
        try site.peer.order("open 5")
        try demandCode(Host.list("COM5", of: driver), "COM5 again")
        guard case .success(let other) = await finder.value else { throw .failed("it was not found again") }
        try site.peer.send(5, "b")
        let more = try await must("read") { () async throws(SerialError) in try await other.read(timeout: SerialSite.patience) }
        try demandEqual(more, [0x62], "a byte of the new device's")
        let statistics = await other.statistics
        try demand(statistics.bytesReceived == 2 && statistics.reconnects == 1, "what is counted")
        try await site.close(other)
    }
}
