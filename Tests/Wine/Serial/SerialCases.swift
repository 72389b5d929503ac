internal import LoopCore
internal import SerialOps
internal import _Concurrency

/// SerialOps on COM ports of Wine, behind which are terminals whose other ends the peer has.
enum SerialCases {
    static var suite: Suite {
        Suite(
            "SerialOps",
            on: [
                serial("bytes go both ways, in lines and by the count", bothWays),
                serial("what the settings say is what the device sees", settings),
                serial("settings are changed by opening the port again, and whatever the last user left does not matter", again),
                serial("a port that cannot be opened says why", refused),
                serial("what a terminal cannot do is refused by name", unsupported),
                serial("a read that times out leaves what came to the next", timeout),
                serial("eight MiB arrive in order, whatever reads time out or are cancelled, ten thousand times", lossless),
                serial("with a buffer of one byte the bytes arrive one by one, and in order", oneByte),
                serial("ports that are closed and opened again, and reads that are cancelled, lose no byte of a stream", reopened),
                serial("two MiB leave in order, in writes of every size", writes),
                serial("both directions of four ports go on at once", four),
                serial("a write that finds no room counts what has left, and what has left arrives", partial),
                serial("a write that is cancelled counts too, and the next one follows without a gap", cancelledWrite),
                serial("reads that the driver ends without bytes are made again, and nobody notices", emptyReads),
                serial("an idle port wakes nobody", idle),
                serial("a full buffer leaves bytes with the driver, and none is lost", full),
                serial("what is discarded is gone, and what comes later is read", discard),
                serial("everything is sent when a drain returns", drain),
                serial("a close ends a pending read, and can be said twice", closed),
                serial("a close leaves nothing, with a write that finds no room", closedInWrite),
                serial("what was written before a close reaches the other end", writtenAndClosed),
                serial("a close ends a drain, and waits for events have an end too", closedInDrain),
                serial("a hang-up ends pending reads and writes, and the port serves nobody any more", hangUp),
                serial("a hang-up that finds nobody waiting ends the port all the same", hangUpInIdleness),
                serial("a device that comes back is opened again", comesBack),
                serial("what the registry lists is listed, in order, with what SetupAPI says of its device", described),
                serial("ports that come and go are told, also when they are back before anybody asks", watched),
                serial("a watcher that is closed or dropped leaves nothing, and one that nobody asks goes on listening", unwatched),
                serial("a port that went is found again by what it is, and counts on", foundAgain),
                serial("a port that is dropped gives its handle back", dropped),
                serial("a wait for an event is a thread's under Wine, and completes its operation", events),
            ])
    }

    private static func serial(
        _ name: String, _ body: @escaping @Sendable (isolated EventLoop, SerialSite) async throws(Unmet) -> Void
    ) -> Win32Case {
        Win32Case(name) { bench throws(Unmet) in
            let site = SerialSite(loop: bench.loop, peer: try SerialPeer(5))
            try bench.run { loop throws(Unmet) in try await body(loop, site) }
        }
    }

    private static func bothWays(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let port = try await site.open()
        try site.peer.send(5, "hello\r\nworld\nrest")
        try await expectLine(port, "hello")
        try await expectLine(port, "world")
        let rest = try await must("readExactly") { () async throws(SerialError) in try await port.readExactly(4, timeout: .seconds(5)) }
        try demandEqual(rest, Array("rest".utf8), "by the count")
        try await must("write") { () async throws(SerialError) in try await port.write("back", timeout: .seconds(5)) }
        try demand(try site.peer.takeText(5, 4) == "back", "what was written")
        let statistics = await port.statistics
        try demand(statistics.bytesReceived == 17 && statistics.bytesSent == 4, "what is counted")
        try await site.close(port)
    }

    private static func expectLine(_ port: SerialPort, _ text: String, _ loop: isolated (any Actor)? = #isolation) async throws(Unmet) {
        let line = try await must("readLine") { () async throws(SerialError) in try await port.readLine(timeout: .seconds(5)) }
        try demandEqual(line, Array(text.utf8), "a line")
    }

    private static func settings(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        for baud: UInt32 in [300, 9_600, 57_600, 115_200, 921_600, 3_000_000] {
            for flowControl: FlowControl in [.none, .xonXoff, .rtsCts] {
                var settings = SerialSettings(baud: baud)
                settings.flowControl = flowControl
                let port = try await site.open(settings)
                let seen = try site.peer.settings(5)
                let isSame = (seen.isXonXoff, seen.isRtsCts) == (flowControl == .xonXoff, flowControl == .rtsCts)
                try demand(seen.baud == baud && isSame, "\(baud) became \(seen.baud), or another flow control")
                try await site.close(port)
            }
        }
    }

    private static func again(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        try RawComm("COM5").use { comm throws(Unmet) in
            // Reads that end at once, another speed, and flow control in the stream.
            try comm.endReads(after: 1)
            try comm.change { state in
                state.baudRate = 1_200
                state.flags.formUnion([.outputObeysXoff, .inputSendsXoff])
            }
        }
        let port = try await site.open(SerialSettings(baud: 38_400))
        try site.peer.send(5, [0, 0x11, 0x13, 0xFF])
        let bytes = try await must("readExactly") { () async throws(SerialError) in try await port.readExactly(4, timeout: .seconds(5)) }
        try demandEqual(bytes, [0, 0x11, 0x13, 0xFF], "every byte")
        try demand(try site.peer.settings(5).baud == 38_400, "the speed")
        try await site.close(port)
    }

    private static func refused(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        for path: SerialText in ["COM77", "\\\\.\\COM77", "no such port", "C:\\no\\such\\port"] {
            let error = try await site.refusal(path)
            try demand(error == .notFound(path), "\(path): \(error.description)")
        }
        for path: SerialText in ["NUL", "C:\\windows\\win.ini"] {
            let error = try await site.refusal(path)
            try demand(error == .notASerialPort(path), "\(path): \(error.description)")
        }
        // Windows keeps a second program out, and so a second handle. Wine does not.
        let port = try await site.open()
        let second = await result { () async throws(SerialError) in try await SerialPort.open("COM5", on: loop) }
        switch second {
        case .failure(let error): try demand(error == .busy(PortHolder(path: "COM5")), "a second handle: \(error.description)")
        case .success(let other): try await site.close(other)
        }
        try await site.close(port)
    }

    private static func unsupported(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        var settings = SerialSettings(baud: 0)
        try await expectRefusal(site, settings, .unsupportedConfiguration(.baud, got: nil))
        // Wine keeps another speed and says yes.
        settings.baud = 1_234_567
        try await expectRefusal(site, settings, .unsupportedConfiguration(.baud, got: 38_400))
        settings = SerialSettings()
        settings.flowControl = .dtrDsr
        try await expectRefusal(site, settings, .unsupportedConfiguration(.flowControl, got: 0))
        settings = SerialSettings()
        settings.stopBits = .onePointFive
        try await expectRefusal(site, settings, .unsupportedConfiguration(.stopBits, got: nil))
        settings = SerialSettings()
        settings.isExclusive = false
        try await expectRefusal(site, settings, .unsupportedConfiguration(.exclusive, got: nil))

        let port = try await site.open()
        let noLines = SerialError.unsupportedConfiguration(.lines, got: nil)
        try await mustFail("setLines", noLines) { () async throws(SerialError) in try await port.setLines(dtr: true, rts: false) }
        try await mustFail("lines", noLines) { () async throws(SerialError) in try await port.lines() }
        let capabilities = await port.capabilities
        try demand(capabilities.modemLines == .unsupported && capabilities.dtrDsr == .unsupported, "what it says it can do")
        try await site.close(port)
    }

    private static func expectRefusal(
        _ site: SerialSite, _ settings: SerialSettings, _ expected: SerialError, _ loop: isolated (any Actor)? = #isolation
    ) async throws(Unmet) {
        let error = try await site.refusal("COM5", settings)
        try demand(error == expected, "expected \(expected.description), found \(error.description)")
    }

    private static func dropped(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        try await useAndDrop(loop, site)
        // A hang-up of a terminal that nobody has open any more is nobody's.
        try await site.wait(until: "the handle to be closed") { () throws(Unmet) in loop.metrics.operations.submitted == 0 }
        let port = try await site.open()
        try await site.close(port)
    }

    private static func useAndDrop(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let port = try await site.open()
        try site.peer.send(5, "a")
        let bytes = try await must("read") { () async throws(SerialError) in try await port.read(timeout: .seconds(5)) }
        try demandEqual(bytes, [0x61], "a byte")
    }

    private static func comesBack(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let port = try await site.open()
        try site.peer.order("hang 5")
        try await mustFail("read", .disconnected) { () async throws(SerialError) in try await port.read(timeout: .seconds(5)) }
        try await site.close(port)
        // Windows has no such port then. Wine opens something, which answers no question about ports.
        let gone = try await site.refusal("COM5")
        try demand(gone == .notFound("COM5") || gone == .notASerialPort("COM5"), "a port without a device: \(gone.description)")
        try site.peer.order("open 5")
        let other = try await site.open()
        try site.peer.send(5, "b")
        let bytes = try await must("read") { () async throws(SerialError) in try await other.read(timeout: .seconds(5)) }
        try demandEqual(bytes, [0x62], "a byte")
        try await site.close(other)
    }
}
