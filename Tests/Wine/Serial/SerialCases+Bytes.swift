internal import LoopCore
internal import SerialOps
internal import _Concurrency

// What is read and written, and that none of it is lost.
extension SerialCases {
    static func timeout(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let port = try await site.open()
        try site.peer.send(5, [1, 2, 3])
        try await mustFail("readExactly", .timedOut(.read, moved: 3)) { () async throws(SerialError) in
            try await port.readExactly(4, timeout: .milliseconds(100))
        }
        try site.peer.send(5, [4])
        let bytes = try await must("readExactly") { () async throws(SerialError) in try await port.readExactly(4, timeout: .seconds(5)) }
        try demandEqual(bytes, [1, 2, 3, 4], "all of it")
        try await site.close(port)
    }

    static func writes(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let (port, total) = (try await site.open(), 2 << 20)
        var (dice, place) = (Dice(2), 0)
        try site.peer.order("sink 5")
        while place < total {
            let bytes = pattern(min(total - place, 1 + dice.roll(dice.roll(2) == 0 ? 64 : 150_000)), from: place)
            try await must("write") { () async throws(SerialError) in try await port.write(bytes, timeout: SerialSite.patience) }
            place += bytes.count
        }
        try await expectSunk(site, total)
        try await site.close(port)
    }

    /// The peer has taken so many bytes, and they are the pattern.
    private static func expectSunk(_ site: SerialSite, _ count: Int, _ loop: isolated (any Actor)? = #isolation) async throws(Unmet) {
        try await site.wait(until: "\(count) bytes to arrive") { () throws(Unmet) in try site.peer.got(5).count >= count }
        await site.pause(.milliseconds(20))
        let got = try site.peer.got(5)
        try demand(got.count == count && got.wrong == 0, "\(got.count) bytes arrived of \(count), and \(got.wrong) are wrong")
    }

    static func four(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let ports: [SerialText] = ["COM5", "COM6", "COM7", "COM8"]
        for number in 5...8 {
            if number > 5 { try site.peer.order("open \(number)") }
            try site.peer.order("echo \(number)")
        }
        let fibers = ports.map { path in
            loop.spawn { loop async -> Result<Void, Unmet> in
                do throws(Unmet) { return .success(try await echo(loop, site, path)) } catch { return .failure(error) }
            }
        }
        for fiber in fibers { try await fiber.value.get() }
    }

    private static func echo(_ loop: isolated EventLoop, _ site: SerialSite, _ path: SerialText) async throws(Unmet) {
        let port = try await site.open(SerialSettings(), path)
        for round in 0..<50 {
            let bytes = pattern(1 + round * 7, from: round * 11)
            try await must("write") { () async throws(SerialError) in try await port.write(bytes, timeout: SerialSite.patience) }
            let back = try await must("readExactly") { () async throws(SerialError) in
                try await port.readExactly(bytes.count, timeout: SerialSite.patience)
            }
            try demandEqual(back, bytes, "\(path), round \(round)")
        }
        try await site.close(port)
    }

    /// A pseudo terminal holds some KiB each way.
    private static let tooMany = 200_000

    static func partial(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let port = try await site.open()
        let end = await result { () async throws(SerialError) in try await port.write(pattern(tooMany), timeout: .milliseconds(100)) }
        guard case .failure(.timedOut(.write, let moved)) = end, moved > 0, moved < tooMany else {
            throw .failed("the write did not time out after a part")
        }
        try demand(await port.statistics.bytesSent == UInt64(moved), "what is counted")
        try site.peer.order("sink 5")
        try await expectSunk(site, moved)
        try await site.close(port)
    }

    static func cancelledWrite(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let port = try await site.open()
        var place = 0
        for round in 0..<20 {
            let writer = loop.spawn { [place] _ async in
                await result { () async throws(SerialError) in try await port.write(pattern(tooMany, from: place)) }
            }
            await site.pause(.milliseconds(round % 4))
            writer.cancel()
            switch await writer.value {
            case .success: place += tooMany
            case .failure(.cancelled(.write, let moved)): place += moved
            case .failure(let error): throw .failed("round \(round): \(error.description)")
            }
            if round == 3 { try site.peer.order("sink 5") }
        }
        try await expectSunk(site, place)
        try await site.close(port)
    }

    static func emptyReads(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let device = try openDevice("COM5")
        let comm = RawComm(borrowing: device.handle.rawValue)
        // A driver that ends every read after 5 ms with STATUS_TIMEOUT, as Windows does after 49 days.
        try comm.endReads(after: 5)
        let port = try await must("open") { () async throws(SerialError) in
            try await SerialPort.open(device, "COM5", SerialSettings(), on: loop)
        }
        try await mustFail("read", .timedOut(.read, moved: 0)) { () async throws(SerialError) in
            try await port.read(timeout: .milliseconds(150))
        }
        let empty = await port.statistics.emptyReads
        try demand(empty > 2, "\(empty) reads ended without bytes")
        // Wine loses the time of a read that brings a part, so bytes come under the timeouts that a port has otherwise.
        try comm.set(.untilFirstBytes(onWine: true))
        await site.pause(.milliseconds(50))
        try site.peer.send(5, pattern(40))
        let bytes = try await must("readExactly") { () async throws(SerialError) in
            try await port.readExactly(40, timeout: SerialSite.patience)
        }
        try demandEqual(bytes, pattern(40), "what came later")
        try await site.close(port)
    }

    static func idle(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let port = try await site.open()
        let before = loop.metrics.operations.packets
        await site.pause(.milliseconds(200))
        // The sleep itself is no packet.
        try demand(loop.metrics.operations.packets - before <= 1, "\(loop.metrics.operations.packets - before) packets in 200 ms")
        try demand(await port.statistics.emptyReads == 0, "empty reads")
        try await site.close(port)
    }

    static func full(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        var settings = SerialSettings()
        settings.bufferBytes = 16
        let (port, count) = (try await site.open(settings), 3_000)
        try site.peer.order("stream 5 \(count) 4000")
        try await site.wait(until: "the buffer to be full") { () async throws(Unmet) in await port.bytesWaiting == 16 }
        let queued = try await must("queues") { () async throws(SerialError) in try await port.queues() }
        try demand(queued.input == count - 16 && queued.output == 0, "\(queued.input) bytes are with the driver")
        let bytes = try await must("readExactly") { () async throws(SerialError) in
            try await port.readExactly(count, timeout: SerialSite.patience)
        }
        try demandEqual(bytes, pattern(count), "all of it")
        try await site.close(port)
    }

    static func discard(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        var settings = SerialSettings()
        settings.bufferBytes = 16
        let port = try await site.open(settings)
        try site.peer.order("stream 5 1000 4000")
        try await site.wait(until: "the buffer to be full") { () async throws(Unmet) in await port.bytesWaiting == 16 }
        try await must("discard") { () async throws(SerialError) in try await port.discard(.both) }
        try demand(await port.bytesWaiting == 0, "nothing waits")
        try site.peer.send(5, "z")
        let bytes = try await must("read") { () async throws(SerialError) in try await port.read(timeout: .seconds(5)) }
        try demandEqual(bytes, [0x7A], "what came later")
        try await site.close(port)
    }

    static func drain(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let port = try await site.open()
        try await must("write") { () async throws(SerialError) in try await port.write(pattern(1_000), timeout: .seconds(5)) }
        try await must("drain") { () async throws(SerialError) in try await port.drain(timeout: .seconds(5)) }
        try site.peer.order("sink 5")
        try await expectSunk(site, 1_000)
        try await must("sendBreak") { () async throws(SerialError) in try await port.sendBreak(for: .milliseconds(1)) }
        try await site.close(port)
    }
}
