internal import CLoopWin32
internal import LoopCore
internal import SerialOps
internal import _Concurrency

// Bytes stream in while reads are ended early at random: every byte arrives once, in order.
extension SerialCases {
    static func lossless(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        let reader = Reader(site, try await site.open(), total: isLong ? 8 << 20 : 2 << 20, seed: 1)
        try site.peer.order("stream 5 \(reader.total) 4000")
        while !reader.isOver || reader.endedEarly < (isLong ? 10_000 : 2_500) { try await reader.step(loop) }
        try demand(await reader.port.statistics.bytesReceived == UInt64(reader.total), "what is counted")
        try await site.close(reader.port)
    }

    static func oneByte(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        var settings = SerialSettings()
        settings.bufferBytes = 1
        let reader = Reader(site, try await site.open(settings), total: 16 << 10, seed: 2, bytesMax: 1)
        try site.peer.order("stream 5 \(reader.total) 700")
        while !reader.isOver { try await reader.step(loop) }
        let statistics = await reader.port.statistics
        try demand(statistics.reads == UInt64(reader.total) && reader.endedEarly > 500, "\(reader.endedEarly) reads ended early")
        try await site.close(reader.port)
    }

    /// Wine hands over what a read had brought when it is cancelled, so nothing is lost by that either.
    static func reopened(_ loop: isolated EventLoop, _ site: SerialSite) async throws(Unmet) {
        var device = try openDevice("COM5")
        let reader = Reader(site, try await port(of: device, loop), total: isLong ? 4 << 20 : 1 << 20, seed: 3)
        try site.peer.order("stream 5 \(reader.total) 700")
        var (opened, cancelled) = (1, 0)
        while !reader.isOver {
            for _ in 0..<6 {
                try await reader.step(loop)
                // Somebody else ends the system's read.
                if portloop_win32_cancel(device.handle.rawValue, nil) == 0 { cancelled += 1 }
            }
            try await site.close(reader.port)
            try await reader.takeRest()
            try demand(await reader.port.statistics.possiblyLost == 0, "bytes that may be lost")
            device = try openDevice("COM5")
            reader.port = try await port(of: device, loop)
            opened += 1
        }
        let isEnough = opened > (isLong ? 100 : 25) && cancelled > (isLong ? 500 : 125)
        try demand(isEnough, "\(opened) ports and \(cancelled) cancelled reads of the system's")
        try await site.close(reader.port)
    }

    private static func port(of device: WindowsSerialDevice, _ loop: isolated EventLoop) async throws(Unmet) -> SerialPort {
        try await must("open") { () async throws(SerialError) in
            try await SerialPort.open(device, "COM5", SerialSettings(), on: loop)
        }
    }
}

/// Reads in all ways, ends some of the reads early, and checks what comes.
private final class Reader {
    let total: Int
    var port: SerialPort
    private let site: SerialSite
    private let bytesMax: Int
    private var dice: Dice
    private var place = 0
    private var quiet = 0
    private(set) var endedEarly = 0

    init(_ site: SerialSite, _ port: SerialPort, total: Int, seed: UInt64, bytesMax: Int = 9_000) {
        (self.site, self.port, self.total, self.bytesMax) = (site, port, total, bytesMax)
        dice = Dice(seed)
    }

    var isOver: Bool { place == total }

    func step(_ loop: isolated EventLoop) async throws(Unmet) {
        let (time, count) = (Duration.microseconds(dice.roll(1_500)), 1 + dice.roll(bytesMax))
        let (port, rest) = (port, total - place)
        switch dice.roll(4) {
        case 0: try take(await result { () async throws(SerialError) in try await port.read(max: count, timeout: time) })
        case 1: try take(await result { () async throws(SerialError) in try await port.readExactly(min(rest, count), timeout: time) })
        default:
            let reader = loop.spawn { _ async in
                await result { () async throws(SerialError) in try await port.read(max: count, timeout: SerialSite.patience) }
            }
            for _ in 0..<dice.roll(4) { await Task.yield() }
            if dice.roll(2) == 0 { await site.pause(time) }
            reader.cancel()
            try take(await reader.value)
        }
    }

    /// What a port that was closed had by then.
    func takeRest(isolation: isolated (any Actor)? = #isolation) async throws(Unmet) {
        while await port.bytesWaiting > 0 {
            let port = port
            try take(await result { () async throws(SerialError) in try await port.read() })
        }
    }

    private func take(_ bytes: Result<[UInt8], SerialError>) throws(Unmet) {
        switch bytes {
        case .success(let bytes):
            try demandEqual(bytes, pattern(bytes.count, from: place), "from byte \(place) on")
            (place, quiet) = (place + bytes.count, bytes.isEmpty ? quiet : 0)
        case .failure(.timedOut), .failure(.cancelled):
            endedEarly += 1
            quiet += isOver ? 0 : 1
        case .failure(let error): throw .failed("after \(place) bytes: \(error.description)")
        }
        try demand(quiet < 50_000, "nothing comes after byte \(place)")
    }
}
