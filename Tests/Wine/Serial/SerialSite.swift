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

func result<R>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws(SerialError) -> R
) async -> Result<R, SerialError> {
    do throws(SerialError) { return .success(try await body()) } catch { return .failure(error) }
}

func must<R>(
    _ what: String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws(SerialError) -> R
) async throws(Unmet) -> R {
    do throws(SerialError) { return try await body() } catch { throw .failed("\(what): \(error.description)") }
}

/// It MUST be refused so.
func mustFail<R>(
    _ what: String, _ expected: SerialError, isolation: isolated (any Actor)? = #isolation, _ body: () async throws(SerialError) -> R
) async throws(Unmet) {
    do throws(SerialError) {
        _ = try await body()
    } catch {
        if error == expected { return }
        throw .failed("\(what): expected \(expected.description), found \(error.description)")
    }
    throw .failed("\(what): expected \(expected.description), and it was done")
}

/// A check fails by being thrown: a task may not touch what the suite collects.
func demand(_ isMet: Bool, _ what: @autoclosure () -> String) throws(Unmet) { if !isMet { throw .failed(what()) } }

func demandEqual(_ found: [UInt8], _ expected: [UInt8], _ what: String) throws(Unmet) {
    guard found != expected else { return }
    throw .failed("\(what): expected \(expected.count) bytes, found \(found.count), or others")
}

/// The pattern that the peer sends and expects, from a place on.
func pattern(_ count: Int, from place: Int = 0) -> [UInt8] { (place..<place + count).map { SerialPeer.pattern($0) } }

/// Numbers of a case's own, the same in every run.
struct Dice {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func roll(_ count: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(truncatingIfNeeded: state >> 33) % count
    }
}
