internal import LoopCore
internal import SerialOps
internal import _Concurrency

/// What a case about ports has: a device at COM5, and the sentences to fail with.
struct SerialSite: Sendable {
    let loop: EventLoop
    let peer: SerialPeer

    /// Long enough for any machine; who waits that long has failed.
    static let patience = Duration.seconds(20)

    func open(
        _ settings: SerialSettings = SerialSettings(), _ path: SerialText = "COM5", isolation: isolated (any Actor)? = #isolation
    ) async throws(Unmet) -> SerialPort {
        try await must("open") { () async throws(SerialError) in
            try await SerialPort.open(path, settings, on: loop, timeout: SerialSite.patience)
        }
    }

    /// Why a port is not opened; it MUST not be.
    func refusal(
        _ path: SerialText, _ settings: SerialSettings = SerialSettings(), isolation: isolated (any Actor)? = #isolation
    ) async throws(Unmet) -> SerialError {
        let opened = await result { () async throws(SerialError) in
            try await SerialPort.open(path, settings, on: loop, timeout: SerialSite.patience)
        }
        switch opened {
        case .failure(let error): return error
        case .success(let port):
            await port.close()
            throw .failed("\(path) was opened")
        }
    }

    /// Ends a port, which MUST leave nothing behind.
    func close(_ port: SerialPort, isolation: isolated (any Actor)? = #isolation) async throws(Unmet) {
        guard await port.close().isClean else { throw .failed("something was left with the driver") }
    }

    func pause(_ time: Duration, isolation: isolated (any Actor)? = #isolation) async {
        try? await loop.sleep(for: time)
    }

    /// Asks again and again until it holds.
    func wait(
        until what: String, isolation: isolated (any Actor)? = #isolation, _ condition: () async throws(Unmet) -> Bool
    ) async throws(Unmet) {
        let bound = loop.now.advanced(by: SerialSite.patience)
        while try await !condition() {
            guard loop.now < bound else { throw .failed("waited in vain: \(what)") }
            await pause(.milliseconds(2))
        }
    }
}

/// The pattern that the peer sends and expects, from a place on.
func pattern(_ count: Int, from place: Int = 0) -> [UInt8] { (place..<place + count).map { SerialPeer.pattern($0) } }
