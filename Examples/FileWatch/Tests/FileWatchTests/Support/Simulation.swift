import LoopCore
import LoopSim
import Testing

@testable import FileWatch

/// A loop on a simulated port that is checked from outside: a breach of the contract by either side ends the test with its clause.
struct Simulation: Sendable {
    let port: SimulatedPort
    let loop: EventLoop
    private let began: MonotonicInstant

    init(seed: UInt64 = 1, faults: SimulatedFaults = .none) {
        port = SimulatedPort(seed: seed, faults: faults)
        loop = EventLoop(port: CheckedPort(port))
        began = port.clock.now
    }

    /// Virtual nanoseconds since it was made.
    var elapsed: UInt64 { port.clock.now.nanoseconds(since: began) }

    /// Runs a test as a fiber. Nothing may be in flight afterwards, and no handle open.
    func run(_ body: @escaping @Sendable (isolated EventLoop) async throws -> Void) throws {
        try loop.run { loop in try await body(loop) }
        #expect(loop.shutdown().isClean)
        #expect(port.openHandleCount == 0)
    }
}

/// How a wait for an event ended.
func wait(
    for watch: DirectoryWatch, _ timeout: Duration? = nil, isolation: isolated (any Actor)? = #isolation
) async -> Result<DirectoryEvent?, WatchError> {
    do throws(WatchError) { return .success(try await watch.next(timeout: timeout)) } catch { return .failure(error) }
}
